import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS, intervalMs, INTERVALS } from '../../domain/interval.ts';
import { closeDue, daysOfTick, jitterMs, nextCloseAtMs } from './schedule.ts';

const NOON_MS = Date.UTC(2024, 5, 15, 12);
const HOUR_MS = 3_600_000;
const hourly = { interval: '1h', graceMs: 5_000 } as const;

test("a close is due once, after the exchange's grace and our jitter", () => {
  const at = (nowMs: number, cursorMs: number | null) => closeDue(hourly, { nowMs, cursorMs, jitterMs: 2_000 });
  expect(at(NOON_MS + 6_999, NOON_MS - HOUR_MS)).toBeNull();
  expect(at(NOON_MS + 7_000, NOON_MS - HOUR_MS)).toBe(NOON_MS);
  expect(at(NOON_MS + 7_000, NOON_MS)).toBeNull();
});

test('after missed closes the newest one is due, and one tick covers the days of all of them', () => {
  expect(closeDue(hourly, { nowMs: NOON_MS + 7_000, cursorMs: NOON_MS - 50 * HOUR_MS, jitterMs: 0 })).toBe(NOON_MS);
  expect(daysOfTick({ nowMs: NOON_MS, cursorMs: NOON_MS - 5 * DAY_MS })).toEqual({
    start: '2024-06-10',
    end: '2024-06-15',
  });
  expect(daysOfTick({ nowMs: NOON_MS, cursorMs: NOON_MS - 400 * DAY_MS })).toEqual({
    start: '2024-05-15',
    end: '2024-06-15',
  });
});

test('a tick always covers today and the two days before it', () => {
  expect(daysOfTick({ nowMs: NOON_MS, cursorMs: NOON_MS - 60_000 })).toEqual({
    start: '2024-06-13',
    end: '2024-06-15',
  });
  expect(daysOfTick({ nowMs: NOON_MS, cursorMs: null })).toEqual({ start: '2024-06-13', end: '2024-06-15' });
});

test('a close is due at the time the schedule gives for it, and not a millisecond earlier', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...INTERVALS),
      fc.nat(90_000),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.nat(5_000),
      (interval, graceMs, chance, index) => {
        const jitter = jitterMs(interval, chance);
        const closeMs = NOON_MS - (NOON_MS % intervalMs(interval)) + index * intervalMs(interval);
        const dueMs = nextCloseAtMs({ interval, graceMs }, { closeMs, jitterMs: jitter });
        const at = (nowMs: number) => closeDue({ interval, graceMs }, { nowMs, cursorMs: closeMs, jitterMs: jitter });
        expect(at(dueMs)).toBe(closeMs + intervalMs(interval));
        expect(at(dueMs - 1)).toBeNull();
        expect(jitter).toBeLessThanOrEqual(intervalMs(interval) / 10);
      },
    ),
  );
});
