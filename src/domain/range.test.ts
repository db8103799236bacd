import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { candlesIn, gridOf, hullOf, intersectRanges, mergeRanges, subtractRanges, type TimeRange } from './range.ts';
import { rangesOf } from '../../tests/support/ranges.ts';

const HOUR = 3_600_000;
const hours = (from: number, to: number): TimeRange => ({ fromMs: from * HOUR, toMs: to * HOUR });
const anyRange = fc.tuple(fc.nat(60), fc.nat(12)).map(([from, length]) => hours(from, from + length));
const anyRanges = fc.array(anyRange, { maxLength: 8 });
const grid = (ranges: readonly TimeRange[]): Set<number> => new Set(ranges.flatMap((range) => gridOf(range, '1h')));

test('a grid holds the open times of a range, its end excluded', () => {
  expect(gridOf(hours(1, 4), '1h')).toEqual([HOUR, 2 * HOUR, 3 * HOUR]);
  expect(gridOf({ fromMs: 1, toMs: HOUR + 1 }, '1h')).toEqual([HOUR]);
});

test('counting candles agrees with listing them', () => {
  fc.assert(
    fc.property(fc.nat(10 * HOUR), fc.nat(10 * HOUR), (fromMs, lengthMs) => {
      const range = { fromMs, toMs: fromMs + lengthMs };
      expect(candlesIn(range, '15m')).toBe(gridOf(range, '15m').length);
    }),
  );
});

test('merging keeps exactly the candles of the parts, without overlap', () => {
  fc.assert(
    fc.property(anyRanges, (ranges) => {
      const merged = mergeRanges(ranges);
      expect(grid(merged)).toEqual(grid(ranges));
      for (const [at, range] of merged.entries()) expect(range.fromMs).toBeGreaterThan(merged[at - 1]?.toMs ?? -1);
    }),
  );
});

test('subtraction leaves the times in the whole and in no part', () => {
  fc.assert(
    fc.property(anyRanges, anyRanges, (whole, parts) => {
      expect(grid(subtractRanges(whole, parts))).toEqual(grid(whole).difference(grid(parts)));
    }),
  );
});

test('what two share is in both of them', () => {
  fc.assert(
    fc.property(anyRanges, anyRanges, (a, b) => {
      expect(grid(intersectRanges(a, b))).toEqual(grid(a).intersection(grid(b)));
    }),
  );
});

test('runs of open times become ranges and back', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(80)), (points) => {
      const openTimes = points.toSorted((a, b) => a - b).map((point) => point * HOUR);
      expect(rangesOf(openTimes, '1h').flatMap((range) => gridOf(range, '1h'))).toEqual(openTimes);
    }),
  );
});

test('a hull reaches from the first to the last candle, and of nothing there is none', () => {
  expect(hullOf([HOUR, 5 * HOUR], '1h')).toEqual(hours(1, 6));
  expect(hullOf([], '1h')).toBeNull();
});
