import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS, INTERVALS, intervalMs } from './interval.ts';
import { dayOf, dayRange, daysBetween, isDay, dueAtMs, periodOf, periodRange } from './partition.ts';
import { parseSymbol, symbolJoined, symbolPath } from './symbol.ts';

test('every interval divides a day', () => {
  for (const interval of INTERVALS) expect(DAY_MS % intervalMs(interval)).toBe(0);
});

test.each([
  ['BTC/USDT', 'BTC/USDT'],
  ['btc-usdt', 'BTC/USDT'],
  ['BTCUSDT', 'BTC/USDT'],
  ['1000SATSFDUSD', '1000SATS/FDUSD'],
  ['ETHBTC', 'ETH/BTC'],
  ['BTCTUSD', 'BTC/TUSD'],
  [' sol/usd ', 'SOL/USD'],
])('%s is the symbol %s', (text, symbol) => {
  expect(parseSymbol(text)).toBe(symbol);
});

test.each(['', 'USDT', 'BTC/', '/USDT', 'BTC/USDT/X', 'BTC USDT', 'BTCXYZ', 'BTC_USDT', '*/USDT'])(
  '%j is no symbol',
  (text) => {
    expect(parseSymbol(text)).toBeNull();
  },
);

test('each spelling of a symbol leads back to it', () => {
  const asset = fc.stringMatching(/^[A-Z0-9]{2,8}$/);
  fc.assert(
    fc.property(asset, fc.constantFrom('USDT', 'USDC', 'EUR', 'FDUSD'), (base, quote) => {
      const symbol = `${base}/${quote}`;
      expect(parseSymbol(symbolPath(symbol))).toBe(symbol);
      expect(parseSymbol(symbolJoined(symbol))).toBe(symbol);
    }),
  );
});

test('a day that does not exist is no day', () => {
  expect(['2024-02-29', '2024-02-30', '2023-02-29', '2024-1-01', 'today'].map(isDay)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
});

test('days are counted over month, year and leap day, both ends included', () => {
  expect(daysBetween('2024-02-28', '2024-03-01')).toEqual(['2024-02-28', '2024-02-29', '2024-03-01']);
  expect(daysBetween('2023-12-31', '2024-01-01')).toHaveLength(2);
  expect(daysBetween('2024-01-02', '2024-01-01')).toEqual([]);
});

test('a day is due when it has closed and its venue had its grace', () => {
  expect(dueAtMs('2024-06-01', 5_000)).toBe(Date.parse('2024-06-02T00:00:05Z'));
});

test('a silver file covers a day, a month or a year', () => {
  expect(INTERVALS.map((interval) => periodOf('2024-06-01', interval))).toEqual([
    '2024-06-01',
    '2024-06-01',
    '2024-06',
    '2024-06',
    '2024-06',
    '2024',
  ]);
});

test('a period is exactly its days', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(2015, 0), max: Date.UTC(2035, 0) }),
      fc.constantFrom(...INTERVALS),
      (timeMs, interval) => {
        const period = periodOf(dayOf(timeMs), interval);
        const range = periodRange(period);
        expect(dayRange(dayOf(range.fromMs)).fromMs).toBe(range.fromMs);
        expect(
          daysBetween(dayOf(range.fromMs), dayOf(range.toMs - 1)).every((day) => periodOf(day, interval) === period),
        ).toBe(true);
        expect([periodOf(dayOf(range.fromMs - 1), interval), periodOf(dayOf(range.toMs), interval)]).not.toContain(
          period,
        );
      },
    ),
    { numRuns: 200 },
  );
});
