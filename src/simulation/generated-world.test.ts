import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { validateRow } from '../lake/quality/row-rules.ts';
import { binance } from '../exchanges/binance/adapter.ts';
import { generatedCandles, generatedWorld, type GeneratedMarket } from './generated-world.ts';
import { standInBinance } from './stand-ins/stand-in-binance.ts';
import type { ResponseReply } from './stand-ins/reply.ts';

const FROM_MS = Date.UTC(2023, 0, 1);
const MINUTE_MS = 60_000;
const MARKET: GeneratedMarket = {
  symbol: 'BTC/USDT',
  venueSymbol: 'BTCUSDT',
  interval: '1m',
  range: { fromMs: FROM_MS, toMs: FROM_MS + 500 * MINUTE_MS },
};

test('any part of a series is the same, sliced from the whole or generated alone', () => {
  const [whole, parts] = [generatedWorld('parts', [MARKET]), generatedCandles('parts', [MARKET])];
  const offsetMs = fc.integer({ min: -20 * MINUTE_MS, max: 520 * MINUTE_MS });
  fc.assert(
    fc.property(
      offsetMs,
      offsetMs,
      fc.constantFrom(0, 1, 7, 1_000, Infinity),
      fc.constantFrom('oldest', 'newest'),
      (from, to, rowsMax, keep) => {
        const part = { fromMs: FROM_MS + from, toMs: FROM_MS + to, rowsMax, keep };
        const rows = parts.select(MARKET, part);
        expect(rows).toEqual(whole.select(MARKET, part));
        const inRange = (whole.series[0]?.rows ?? []).filter((row) => row[0] >= part.fromMs && row[0] < part.toMs);
        expect(rows).toEqual(
          keep === 'oldest' ? inRange.slice(0, rowsMax) : inRange.slice(Math.max(0, inRange.length - rowsMax)),
        );
      },
    ),
  );
});

test('an unknown series has no rows; another seed or market has other rows', () => {
  const part = { ...MARKET.range, rowsMax: 10, keep: 'oldest' } as const;
  const rows = (seed: string, venueSymbol: string) =>
    generatedCandles(seed, [{ ...MARKET, venueSymbol }]).select({ venueSymbol, interval: '1m' }, part);
  expect(generatedCandles('a', [MARKET]).select({ venueSymbol: 'ETHUSDT', interval: '1m' }, part)).toEqual([]);
  expect(rows('a', 'BTCUSDT')).toEqual(rows('a', 'BTCUSDT'));
  expect(rows('a', 'BTCUSDT')).not.toEqual(rows('b', 'BTCUSDT'));
  expect(rows('a', 'BTCUSDT')).not.toEqual(rows('a', 'ETHUSDT'));
});

test('no generated row breaks a rule, at the start or a year of minutes later', () => {
  const year: GeneratedMarket = { ...MARKET, range: { fromMs: FROM_MS, toMs: Date.UTC(2024, 0, 1) } };
  const venue = standInBinance({ world: generatedCandles('rules', [year]) });
  const page = {
    series: { exchange: 'binance', symbol: 'BTC/USDT', interval: '1m' },
    range: { fromMs: Date.UTC(2023, 11, 31), toMs: Date.UTC(2023, 11, 31) + 1_000 * MINUTE_MS },
  } as const;
  const nowMs = Date.UTC(2024, 0, 2);
  const { pathname, searchParams } = new URL(binance.candlesRequest('http://stand-in', page, nowMs).url);
  const reply = venue.handle(
    { method: 'GET', path: pathname, query: searchParams, headers: {}, body: Buffer.alloc(0) },
    nowMs,
  ) as ResponseReply;
  const rows = binance.readCandles(page, reply, nowMs);
  expect(rows).toHaveLength(1_000);
  expect(rows.filter((row) => validateRow(row, page.series, { fetchedAtMs: nowMs }).errors.length > 0)).toEqual([]);
  expect(rows.filter((row) => row.volume === 0).length).toBeGreaterThan(0);
});
