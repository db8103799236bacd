import { expect, test } from 'vitest';
import { growthOfStaying, growthOverLifetimes, median, type MemorySample } from './memory.ts';
import { readNotifications } from './notifications.ts';
import { faultScheduleOf } from './fault-schedule.ts';

const SPAN_MS = 90_000;
const samples = (rssKbAt: (ageMs: number) => number): MemorySample[] =>
  Array.from({ length: 90 }, (_, at) => ({ ageMs: at * 1_000, rssKb: rssKbAt(at * 1_000) }));

test('memory that is taken during warm-up and then kept does not grow', () => {
  expect(
    growthOfStaying(
      samples((ageMs) => (ageMs < 30_000 ? 100 + ageMs / 100 : 400)),
      SPAN_MS,
    ),
  ).toEqual({ fromKb: 400, toKb: 400, ratio: 0, figures: 60 });
});

test('a leak is found, and one sample that stands out hides nothing', () => {
  const leaking = growthOfStaying(
    samples((ageMs) => (ageMs === 89_000 ? 0 : 1_000 + ageMs / 100)),
    SPAN_MS,
  );
  expect(leaking?.ratio).toBeGreaterThan(0.3);
});

test('too few samples say nothing', () => {
  expect(growthOfStaying(samples(() => 1).slice(0, 35), SPAN_MS)).toBeNull();
  expect(growthOverLifetimes([], { ageMs: 1, spanMs: SPAN_MS })).toBeNull();
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
});

test('lives are compared at the same age, and those of the warm-up or that ended before that age do not count', () => {
  const life = (beganMs: number, rssKb: number, ageMs = 12_500) => ({
    beganMs,
    samples: [
      { ageMs: 500, rssKb: 1 },
      { ageMs, rssKb },
    ],
  });
  const lives = [
    life(0, 9_999),
    life(31_000, 100),
    life(40_000, 100),
    life(45_000, 5_000, 11_000),
    life(50_000, 150),
    life(60_000, 150),
  ];
  expect(growthOverLifetimes(lives, { ageMs: 12_000, spanMs: SPAN_MS })).toEqual({
    fromKb: 100,
    toKb: 150,
    ratio: 0.5,
    figures: 4,
  });
});

test('a message that is sent again is a repeat; two messages about the same are one too many', () => {
  const event = (id: string, kind: string, level = 'error') => ({ id, key: 'k', kind, level });
  expect(
    readNotifications([
      event('1', 'trigger'),
      event('1', 'trigger'),
      event('2', 'trigger', 'critical'),
      event('3', 'resolve'),
    ]),
  ).toEqual({ triggers: 2, ends: 1, repeats: 1, doubled: [], open: [] });
  expect(readNotifications([event('1', 'trigger'), event('2', 'trigger')])).toMatchObject({
    doubled: ['k error'],
    open: ['k'],
  });
  expect(readNotifications([event('1', 'trigger'), event('2', 'resolve'), event('3', 'resolve')])).toMatchObject({
    doubled: ['k end'],
  });
  expect(readNotifications([event('1', 'trigger'), event('2', 'resolve'), event('3', 'trigger')])).toMatchObject({
    doubled: [],
    open: ['k'],
  });
});

test('storms lie inside the season, one after another at each venue, the same for the same seed', () => {
  const season = { fromMs: 1_000_000, spanMs: 600_000 };
  for (const seed of ['a', 'b', 'c']) {
    const schedule = faultScheduleOf(seed, season);
    expect(faultScheduleOf(seed, season)).toEqual(schedule);
    for (const plan of schedule.venues.values()) {
      const storms = plan.rules.flatMap(({ on }) => ('fromMs' in on ? [on] : []));
      expect(storms).toHaveLength(2);
      expect(
        storms[0]!.fromMs >= season.fromMs &&
          storms[0]!.toMs <= storms[1]!.fromMs &&
          storms[1]!.toMs <= season.fromMs + season.spanMs,
        seed,
      ).toBe(true);
    }
  }
});
