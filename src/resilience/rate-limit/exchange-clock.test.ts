import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { exchangeClock } from './exchange-clock.ts';

const START_MS = Date.UTC(2024, 0, 1);
const metadata = (sentAtMs: number, answeredAtMs: number, dateMs: number | null) => ({
  sentAtMs,
  answeredAtMs,
  dateMs,
  used: [],
});
const dateOf = (venueMs: number): number => Math.floor(venueMs / 1_000) * 1_000;

const exchanges = fc.array(
  fc.record({ afterMs: fc.integer({ min: 1, max: 3_000 }), thereMs: fc.nat(400), backMs: fc.nat(400) }),
  { minLength: 1, maxLength: 60 },
);

test("the venue's clock always lies inside the bounds, for every latency of requests and responses", () => {
  fc.assert(
    fc.property(fc.integer({ min: -5_000, max: 5_000 }), exchanges, (offsetMs, sent) => {
      const clock = exchangeClock();
      let nowMs = START_MS;
      for (const { afterMs, thereMs, backMs } of sent) {
        nowMs += afterMs;
        clock.observe(metadata(nowMs, nowMs + thereMs + backMs, dateOf(nowMs + thereMs + offsetMs)));
        nowMs += thereMs + backMs;
        const { earliestMs, latestMs } = clock.at(nowMs);
        expect(earliestMs).toBeLessThanOrEqual(nowMs + offsetMs);
        expect(latestMs).toBeGreaterThanOrEqual(nowMs + offsetMs);
      }
    }),
  );
});

test('a few dozen dates in whole seconds bound the offset to about one round trip', () => {
  const clock = exchangeClock();
  for (let at = 0; at < 60; at++) {
    const sentAtMs = START_MS + at * 367;
    clock.observe(metadata(sentAtMs, sentAtMs + 100, dateOf(sentAtMs + 50 + 400)));
  }
  const { earliestMs, latestMs } = clock.at(START_MS + 60 * 367);
  expect(latestMs - earliestMs).toBeLessThan(200);
});

test('when a clock was set, the bounds come from that response alone', () => {
  const clock = exchangeClock();
  clock.observe(metadata(START_MS, START_MS + 100, START_MS));
  clock.observe(metadata(START_MS + 3_600_000, START_MS + 3_600_100, START_MS));
  const { earliestMs, latestMs } = clock.at(START_MS + 3_600_100);
  expect(earliestMs).toBeLessThanOrEqual(START_MS + 1_000);
  expect(latestMs).toBeGreaterThanOrEqual(START_MS);
  expect(latestMs - earliestMs).toBeLessThan(1_200);
});

test('without a response our own clock counts; a venue without dates has bounds of a quarter of a second', () => {
  const clock = exchangeClock();
  expect(clock.hasObserved(START_MS)).toBe(false);
  expect(clock.at(START_MS)).toEqual({ earliestMs: START_MS, latestMs: START_MS });
  clock.observe(null);
  expect(clock.hasObserved(START_MS)).toBe(true);
  expect(clock.at(START_MS)).toEqual({ earliestMs: START_MS - 250, latestMs: START_MS + 250 });
});

test('bounds expire half an hour after the last response, because the clocks may have drifted', () => {
  const clock = exchangeClock();
  clock.observe(metadata(START_MS, START_MS + 100, START_MS));
  expect(clock.hasObserved(START_MS + 1_800_000)).toBe(true);
  expect(clock.hasObserved(START_MS + 1_900_000)).toBe(false);
  expect(clock.at(START_MS + 6 * 86_400_000)).toEqual({
    earliestMs: START_MS + 6 * 86_400_000,
    latestMs: START_MS + 6 * 86_400_000,
  });
});
