import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { intersectRanges, mergeRanges } from '../../../domain/range.ts';
import { isLiquid, isPause, marketOf, tradedShare, tradingBefore } from './liquidity.ts';
import { seriesRecord } from '../../../../tests/support/series-record.ts';

const M = 60_000;
const DAYS_30 = 43_200;

/** A market of the given minutes, without rows in `missing`. */
const recordOf = (minutes: number, missing: readonly (readonly [number, number])[]) =>
  seriesRecord({
    symbol: 'BTC/USD',
    stepMs: M,
    responses: [{ fromMs: 0, toMs: minutes * M, atMs: 0, firstOpenMs: 0, lastOpenMs: 0 }],
    rows: Array.from({ length: minutes }, (_, minute) => minute)
      .filter((minute) => !missing.some(([from, to]) => minute >= from && minute < to))
      .map((minute) => ({ openTimeMs: minute * M, high: 2, low: 1, volume: 1, closeTimeMs: null })),
  });
const range = (from: number, to: number) => ({ fromMs: from * M, toMs: to * M });

test.each([
  [0, 2],
  [12, 4],
  [48, 5],
  [432, 6],
])('a market with %i silent candles in thirty days may pause for %i and not longer', (quietCandles, longest) => {
  const trading = { candles: DAYS_30, quietCandles };
  expect([isPause(longest, trading), isPause(longest + 1, trading)]).toEqual([true, false]);
});

test('a symbol is liquid with trades in 99 % of its candles and enough history', () => {
  expect(
    [
      { candles: 1_000, quietCandles: 10 },
      { candles: 1_000, quietCandles: 11 },
      { candles: 11, quietCandles: 0 },
    ].map(isLiquid),
  ).toEqual([true, false, false]);
});

test('outages of the venue and known incidents do not count against a symbol', () => {
  const [outage, incident] = [range(100, 200), range(150, 300)];
  const record = recordOf(1_000, [
    [100, 300],
    [400, 401],
  ]);
  const before = (market: ReturnType<typeof marketOf>, closed: readonly (typeof outage)[]) =>
    tradingBefore(1_000 * M, market, { stepMs: M, closed });
  expect(before(marketOf(record, []), [])).toEqual({ candles: 1_000, quietCandles: 201 });
  expect(before(marketOf(record, [incident]), [outage])).toEqual({ candles: 800, quietCandles: 1 });
});

test('only the thirty days before count', () => {
  const market = marketOf(recordOf(DAYS_30 + 1_000, [[1, 1_000]]), []);
  expect(tradedShare(tradingBefore((DAYS_30 + 1_000) * M, market, { stepMs: M, closed: [] }))).toBe(1);
  expect(tradedShare(tradingBefore((DAYS_30 + 500) * M, market, { stepMs: M, closed: [] }))).toBeLessThan(1);
});

test('measuring a range agrees with intersecting it', () => {
  const anyRange = fc.tuple(fc.nat(200), fc.nat(40)).map(([from, length]) => range(from, from + length));
  fc.assert(
    fc.property(fc.array(anyRange, { maxLength: 8 }), anyRange, (missing, segment) => {
      const runs = mergeRanges(missing);
      const market = marketOf(
        recordOf(
          300,
          runs.map(({ fromMs, toMs }) => [fromMs / M, toMs / M] as const),
        ),
        [],
      );
      expect(market.quietMs(segment)).toBe(
        intersectRanges(market.quiet, [segment]).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
      );
    }),
  );
});
