import { expect, test } from 'vitest';
import { asOtherVenue, knownOf, quietRangesOf, type RecordedRow } from './series-record.ts';
import { seriesRecord } from '../../../../tests/support/series-record.ts';

const M = 60_000;
const row = (minute: number, over: Partial<RecordedRow> = {}): RecordedRow => ({
  openTimeMs: minute * M,
  high: 2,
  low: 1,
  volume: 1,
  closeTimeMs: null,
  ...over,
});
const response = (from: number, to: number) => ({
  fromMs: from * M,
  toMs: to * M,
  atMs: 0,
  firstOpenMs: null,
  lastOpenMs: null,
});
const range = (from: number, to: number) => ({ fromMs: from * M, toMs: to * M });
const FLAT = { high: 1, low: 1, volume: 0 };

/** Responses cover minutes 0 to 9 and 20 to 29; rows at 3, 4 and 20 to 29. */
const record = (over: Partial<Parameters<typeof seriesRecord>[0]> = {}) =>
  seriesRecord({
    symbol: 'BTC/USDT',
    stepMs: M,
    responses: [response(20, 30), response(0, 10)],
    rows: [
      row(3),
      row(4, { closeTimeMs: 4 * M + 20_000 }),
      ...Array.from({ length: 10 }, (_, at) => row(20 + at, at === 5 || at === 6 ? FLAT : {})),
    ],
    ...over,
  });

test('rows and responses become ranges: missing, flat and truncated', () => {
  expect(record()).toMatchObject({
    answered: [range(0, 10), range(20, 30)],
    missing: [range(0, 3), range(5, 10)],
    flat: [range(25, 27)],
    cut: [{ openTimeMs: 4 * M, closeTimeMs: 4 * M + 20_000 }],
  });
});

test('a row without volume whose price moved is not flat, and neither is one with volume and a single price', () => {
  expect(record({ rows: [row(3, { volume: 0 }), row(4, { high: 1 })] }).flat).toEqual([]);
});

test('a market is known from its listing, else from its first row', () => {
  expect(knownOf(record())).toEqual([range(3, 10), range(20, 30)]);
  expect(knownOf(record({ listedFromMs: M }))).toEqual([range(1, 10), range(20, 30)]);
});

test('a market is quiet where it is known to have no trade', () => {
  expect(quietRangesOf(record())).toEqual([range(5, 10), range(25, 27)]);
});

test('for other venues a venue traded when any of its markets did', () => {
  const venue = { exchange: 'okx', stepMs: M, emptyCandles: 'flat', rowsPerPageMax: 300, others: [] } as const;
  expect(asOtherVenue({ ...venue, series: [record(), record({ rows: [row(5)] })] })).toEqual({
    exchange: 'okx',
    answered: [range(0, 10), range(20, 30)],
    traded: [range(3, 6), range(20, 25), range(27, 30)],
  });
});
