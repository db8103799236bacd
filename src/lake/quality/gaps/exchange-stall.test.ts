import { expect, test } from 'vitest';
import { marketOf } from './liquidity.ts';
import { seriesRecord } from '../../../../tests/support/series-record.ts';
import { stallsOf } from './exchange-stall.ts';

const M = 60_000;
const MINUTES = 1_000;

/** Stalls of a venue whose markets each miss the given minutes. */
function silences(markets: readonly (readonly (readonly [number, number])[])[]) {
  const series = markets.map((missing, at) =>
    seriesRecord({
      symbol: `S${at}`,
      stepMs: M,
      responses: [{ fromMs: 0, toMs: MINUTES * M, atMs: 0, firstOpenMs: 0, lastOpenMs: 0 }],
      rows: Array.from({ length: MINUTES }, (_, minute) => minute)
        .filter((minute) => !missing.some(([from, to]) => minute >= from && minute < to))
        .map((minute) => ({ openTimeMs: minute * M, high: 2, low: 1, volume: 1, closeTimeMs: null })),
    }),
  );
  const record = {
    exchange: 'coinbase',
    stepMs: M,
    emptyCandles: 'omitted',
    rowsPerPageMax: 300,
    series,
    others: [],
  } as const;
  return stallsOf(
    record,
    series.map((one) => marketOf(one, [])),
  ).map(({ fromMs, toMs, silent, trading }) => ({ minutes: [fromMs / M, toMs / M], silent, trading }));
}

test('a stall extends while half of the liquid symbols are quiet, and names those quiet in its middle', () => {
  expect(silences([[[500, 600]], [[500, 600]], [[505, 590]]])).toEqual([
    { minutes: [500, 600], silent: ['S0', 'S1', 'S2'], trading: [] },
  ]);
});

test('a market that trades briefly in the middle does not split a stall', () => {
  expect(
    silences([
      [[500, 600]],
      [[500, 600]],
      [
        [500, 540],
        [560, 600],
      ],
    ]).map(({ minutes }) => minutes),
  ).toEqual([[500, 600]]);
});

test('two separate stalls are found', () => {
  const both = [
    [500, 600],
    [700, 710],
  ] as const;
  expect(silences([both, both, both]).map(({ minutes }) => minutes)).toEqual([
    [500, 600],
    [700, 710],
  ]);
});

test('two quiet symbols of three are no stall', () => {
  expect(silences([[[500, 600]], [[500, 600]], []])).toEqual([]);
});
