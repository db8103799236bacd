import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { intervalMs, INTERVALS } from '../domain/interval.ts';
import { gridOf, mergeRanges, type TimeRange } from '../domain/range.ts';
import { planPages } from './planner.ts';

const START_MS = Date.UTC(2024, 0, 1);

test('pages cover every candle of the ranges exactly once, oldest first, none larger than the venue allows', () => {
  const range = fc.tuple(fc.nat(3_000), fc.nat(1_500));
  fc.assert(
    fc.property(
      fc.constantFrom(...INTERVALS),
      fc.array(range, { maxLength: 6 }),
      fc.integer({ min: 1, max: 1_000 }),
      (interval, spans, rowsMax) => {
        const stepMs = intervalMs(interval);
        const ranges: TimeRange[] = spans.map(([from, length]) => ({
          fromMs: START_MS + from * stepMs,
          toMs: START_MS + (from + length) * stepMs,
        }));
        const pages = planPages({ exchange: 'binance', symbol: 'BTC/USDT', interval }, ranges, rowsMax);
        const covered = pages.flatMap((page) => gridOf(page.range, interval));
        expect(covered).toEqual(mergeRanges(ranges).flatMap((one) => gridOf(one, interval)));
        for (const page of pages) expect(gridOf(page.range, interval).length).toBeLessThanOrEqual(rowsMax);
      },
    ),
  );
});

test('a year of daily candles is one page, a year of minutes 526', () => {
  const year = { fromMs: START_MS, toMs: Date.UTC(2025, 0, 1) };
  expect(planPages({ exchange: 'binance', symbol: 'BTC/USDT', interval: '1d' }, [year], 1_000)).toHaveLength(1);
  expect(
    planPages(
      { exchange: 'binance', symbol: 'BTC/USDT', interval: '1m' },
      [{ fromMs: Date.UTC(2023, 0, 1), toMs: START_MS }],
      1_000,
    ),
  ).toHaveLength(526);
});
