import { expect, test } from 'vitest';
import type { Candle } from '../../domain/candle.ts';
import { validateRow, ROW_RULES, type RowRuleId } from './row-rules.ts';

const OPEN_MS = Date.UTC(2024, 5, 1, 12);
const HOUR_MS = 3_600_000;
const series = { exchange: 'binance', symbol: 'BTC/USDT', interval: '1h' } as const;
const GOOD: Candle = {
  openTimeMs: OPEN_MS,
  open: 67_500,
  high: 67_900,
  low: 67_100,
  close: 67_300,
  volume: 12.5,
  quoteVolume: 12.5 * 67_400,
  trades: 321,
  closeTimeMs: OPEN_MS + HOUR_MS - 1,
};
const check = (over: Partial<Candle>, fetchedAtMs = OPEN_MS + 2 * HOUR_MS) =>
  validateRow({ ...GOOD, ...over }, series, { fetchedAtMs });

test('a real candle breaks no rule', () => expect(check({})).toEqual({ errors: [], warnings: [] }));

const BROKEN: readonly (readonly [RowRuleId, Partial<Candle>])[] = [
  ['not-finite', { close: Number.NaN }],
  ['not-finite', { high: Number.POSITIVE_INFINITY, quoteVolume: null }],
  ['not-finite', { trades: Number.NaN }],
  ['price-not-positive', { low: 0 }],
  ['price-not-positive', { open: -1 }],
  ['ohlc-order', { high: 67_400 }],
  ['ohlc-order', { low: 67_400 }],
  ['volume-negative', { volume: -1, quoteVolume: null }],
  ['volume-negative', { quoteVolume: -1 }],
  ['vwap-outside-range', { quoteVolume: 12.5 * 68_000 }],
  ['vwap-outside-range', { quoteVolume: 12.5 }],
  ['off-grid', { openTimeMs: OPEN_MS + 14_800 }],
];
test.each(BROKEN)('%s is an error: %j', (rule, over) => expect(check(over).errors).toContain(rule));

test('a candle fetched before its close is an error', () =>
  expect(check({}, OPEN_MS + HOUR_MS - 1).errors).toEqual(['unfinished']));
test('a candle that the venue closed early is kept with a warning', () =>
  expect(check({ closeTimeMs: OPEN_MS + 754_000 })).toEqual({ errors: [], warnings: ['cut-candle'] }));
test('without a close time of its own a candle is not truncated', () =>
  expect(check({ closeTimeMs: null })).toEqual({ errors: [], warnings: [] }));
test('a broken error rule is no warning', () =>
  expect(check({ openTimeMs: OPEN_MS + 14_800, closeTimeMs: null })).toEqual({ errors: ['off-grid'], warnings: [] }));
test('trades without volume are kept with a warning', () =>
  expect(check({ volume: 0, quoteVolume: 0 })).toEqual({ errors: [], warnings: ['trades-without-volume'] }));
test('a flat candle without volume breaks no rule', () => {
  expect(check({ high: 67_500, low: 67_500, close: 67_500, volume: 0, quoteVolume: 0, trades: 0 })).toEqual({
    errors: [],
    warnings: [],
  });
});
test('the average price may leave the range by the rounding of the sums only', () => {
  expect(check({ quoteVolume: 12.5 * 67_900 * (1 + 5e-7) }).errors).toEqual([]);
  expect(check({ quoteVolume: 12.5 * 67_900 * (1 + 5e-6) }).errors).toEqual(['vwap-outside-range']);
});
test('every error rule is broken by a case above', () => {
  const errors = Object.entries(ROW_RULES)
    .filter(([, rule]) => rule.severity === 'error')
    .map(([id]) => id);
  expect(new Set([...BROKEN.map(([rule]) => rule), 'unfinished'])).toEqual(new Set(errors));
});
