import { expect, test } from 'vitest';
import { growthOfProcess, growthOverLifetimes, median, type MemorySample } from './memory.ts';
import { readNotifications } from './notifications.ts';
import { faultScheduleOf } from './fault-schedule.ts';

const SPAN_MS = 90_000;
const samples = (rssKbAt: (ageMs: number) => number): MemorySample[] =>
  Array.from({ length: 90 }, (_, at) => ({ ageMs: at * 1_000, rssKb: rssKbAt(at * 1_000) }));

test('memory that is taken during warm-up and then kept is no growth', () => {
  expect(
    growthOfProcess(
      samples((ageMs) => (ageMs < 30_000 ? 100 + ageMs / 100 : 400)),
      SPAN_MS,
    ),
  ).toEqual({ fromKb: 400, toKb: 400, ratio: 0, figures: 60 });
});

test('a leak is found, also with one outlier among the samples', () => {
  const leaking = growthOfProcess(
    samples((ageMs) => (ageMs === 89_000 ? 0 : 1_000 + ageMs / 100)),
    SPAN_MS,
  );
  expect(leaking?.ratio).toBeGreaterThan(0.3);
});

test('too few samples give no result', () => {
  expect(growthOfProcess(samples(() => 1).slice(0, 35), SPAN_MS)).toBeNull();
  expect(growthOverLifetimes([], { ageMs: 1, spanMs: SPAN_MS })).toBeNull();
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
});

test('lifetimes are compared at the same age, without those of the warm-up and those that ended earlier', () => {
  const lifetime = (beganMs: number, rssKb: number, ageMs = 12_500) => ({
    beganMs,
    samples: [
      { ageMs: 500, rssKb: 1 },
      { ageMs, rssKb },
    ],
  });
  const lifetimes = [
    lifetime(0, 9_999),
    lifetime(31_000, 100),
    lifetime(40_000, 100),
    lifetime(45_000, 5_000, 11_000),
    lifetime(50_000, 150),
    lifetime(60_000, 150),
  ];
  expect(growthOverLifetimes(lifetimes, { ageMs: 12_000, spanMs: SPAN_MS })).toEqual({
    fromKb: 100,
    toKb: 150,
    ratio: 0.5,
    figures: 4,
  });
});

test('a message sent again is a repeat; a second message about the same cause and level is a duplicate', () => {
  const event = (id: string, kind: string, level = 'error') => ({ id, key: 'k', kind, level });
  expect(
    readNotifications([
      event('1', 'trigger'),
      event('1', 'trigger'),
      event('2', 'trigger', 'critical'),
      event('3', 'resolve'),
    ]),
  ).toEqual({ triggers: 2, resolves: 1, repeats: 1, duplicates: [], open: [] });
  expect(readNotifications([event('1', 'trigger'), event('2', 'trigger')])).toMatchObject({
    duplicates: ['k error'],
    open: ['k'],
  });
  expect(readNotifications([event('1', 'trigger'), event('2', 'resolve'), event('3', 'resolve')])).toMatchObject({
    duplicates: ['k resolve'],
  });
  expect(readNotifications([event('1', 'trigger'), event('2', 'resolve'), event('3', 'trigger')])).toMatchObject({
    duplicates: [],
    open: ['k'],
  });
});

test('outages lie inside the span, one after another at each exchange, the same for the same seed', () => {
  const span = { fromMs: 1_000_000, spanMs: 600_000 };
  for (const seed of ['a', 'b', 'c']) {
    const schedule = faultScheduleOf(seed, span);
    expect(faultScheduleOf(seed, span)).toEqual(schedule);
    for (const plan of schedule.venues.values()) {
      const outages = plan.rules.flatMap(({ on }) => ('fromMs' in on ? [on] : []));
      expect(outages).toHaveLength(2);
      expect(
        outages[0]!.fromMs >= span.fromMs &&
          outages[0]!.toMs <= outages[1]!.fromMs &&
          outages[1]!.toMs <= span.fromMs + span.spanMs,
        seed,
      ).toBe(true);
    }
  }
});
