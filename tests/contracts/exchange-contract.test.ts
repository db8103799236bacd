import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom, randomInt } from '../../src/platform/seeded-random.ts';
import { INTERVALS, intervalMs } from '../../src/domain/interval.ts';
import type { TimeRange } from '../../src/domain/range.ts';
import { ExchangeAPIError } from '../../src/errors/errors.ts';
import { isFaultCode } from '../../src/errors/table.ts';
import type { DeliveredRow, Page } from '../../src/exchanges/adapter.ts';
import { planPages } from '../../src/exchanges/planner.ts';
import { validateRow } from '../../src/lake/quality/row-rules.ts';
import { codeOfFault } from '../../src/simulation/fault-plan.ts';
import type { RecordedCandle } from '../../src/simulation/recorded-series.ts';
import { tidewaterCase } from '../tidewater/case.ts';
import { RECORDINGS } from '../support/recordings.ts';
import { binanceCase } from './binance.ts';
import { coinbaseCase } from './coinbase.ts';
import { MUTATIONS, type Mutation } from './mutation.ts';
import { okxCase } from './okx.ts';
import { respondWith, type VenueCase } from './exchange-case.ts';
import {
  CANDLES,
  queryStandIn,
  delivered,
  failureOf,
  fetchPage,
  generatedCandles,
  NOW_MS,
  rowsOf,
  seriesOf,
  START_MS,
  SYMBOL,
} from './exchange-harness.ts';
import { expectOnlySentValues, LATER_MS, originalsOf, type Original } from './mutated-responses.ts';

const CASES: readonly VenueCase[] = [binanceCase, coinbaseCase, okxCase, tidewaterCase];
const SEED = process.env['CANDLEKEEP_SEED'] ?? 'mutations';

describe.each(CASES.map((venue) => [venue.adapter.exchange, venue] as const))('%s', (_name, venue) => {
  const { adapter } = venue;
  const minutes = generatedCandles(venue, '1m');
  const lastRows = (count: number): TimeRange => ({
    fromMs: (rowsOf(minutes).at(-count - 5) as RecordedCandle)[0],
    toMs: (rowsOf(minutes).at(-5) as RecordedCandle)[0],
  });
  const page: Page = { series: seriesOf(venue, '1m'), range: lastRows(50) };

  test.each(adapter.intervals)(
    'card 1: pages of %s candles bring each candle of any range once, oldest first',
    (interval) => {
      const world = generatedCandles(venue, interval);
      const stepMs = intervalMs(interval);
      const firstMs = (rowsOf(world)[0] as RecordedCandle)[0];
      fc.assert(
        fc.property(
          fc.integer({ min: -20, max: CANDLES }),
          fc.integer({ min: 1, max: 1_400 }),
          fc.integer({ min: 1, max: adapter.rowsPerPageMax }),
          (from, length, rowsMax) => {
            const range = { fromMs: firstMs + from * stepMs, toMs: firstMs + (from + length) * stepMs };
            const got = planPages(seriesOf(venue, interval), [range], rowsMax).flatMap((one) =>
              fetchPage(venue, world, one).map((row) => row.openTimeMs),
            );
            expect(got).toEqual(delivered(venue, world, range, stepMs));
          },
        ),
        { numRuns: 25 },
      );
    },
  );

  test("card 2: values are the nearest doubles of the venue's decimals", () => {
    const truth = new Map(rowsOf(minutes).map((row) => [row[0], row]));
    for (const row of fetchPage(venue, minutes, page)) {
      const [, open, high, low, close, volume] = (truth.get(row.openTimeMs) as RecordedCandle).map(Number);
      expect(row).toMatchObject({ open, high, low, close, volume });
    }
  });

  test('card 3: a candle is not accepted before it has closed and the grace has passed', () => {
    const last = rowsOf(minutes).at(-3) as RecordedCandle;
    const around: Page = { ...page, range: { fromMs: last[0], toMs: last[0] + 60_000 } };
    const response = queryStandIn(venue, minutes, adapter.candlesRequest(venue.origin, around, NOW_MS).url);
    expect(adapter.readCandles(around, response, last[6] + 1 + adapter.graceMs - 1)).toEqual([]);
    expect(adapter.readCandles(around, response, last[6] + 1 + adapter.graceMs).length).toBe(
      delivered(venue, minutes, around.range, 60_000).length,
    );
    const early = { ...response, headers: { date: new Date(last[6] - 5_000).toUTCString() } };
    expect(adapter.readCandles(around, early, last[6] + 1 + adapter.graceMs), 'the Date header is earlier').toEqual([]);
  });

  test('card 4: a range before the listing is an empty response and no fault', () => {
    expect(
      fetchPage(venue, minutes, {
        ...page,
        range: { fromMs: START_MS - 86_400_000 * 30, toMs: START_MS - 86_400_000 * 30 + 60_000 * 100 },
      }),
    ).toEqual([]);
  });

  test("card 5: an unknown symbol is SYMBOL_INVALID, and the venue's list does not have it", () => {
    const unknown: Page = { ...page, series: { ...page.series, symbol: 'NOPE/USDT' } };
    expect(failureOf(() => fetchPage(venue, minutes, unknown))).toMatchObject({ code: 'SYMBOL_INVALID' });
    const { listings } = adapter.readSymbols(
      queryStandIn(venue, minutes, adapter.symbolsRequest(venue.origin).url),
      NOW_MS,
    );
    expect(listings.map((listing) => listing.symbol)).toEqual([SYMBOL]);
  });

  test.each(venue.refusals)('card 6: $says ($status) is $code', ({ status, body, headers, code, waitMs }) => {
    const fault = failureOf(() => adapter.readCandles(page, respondWith(status, body, headers), NOW_MS));
    expect(fault).toBeInstanceOf(ExchangeAPIError);
    expect(fault).toMatchObject({ code, facts: { exchange: adapter.exchange, status, retryAfterMs: waitMs ?? null } });
  });

  test('card 7: every status from 100 to 599 has exactly one code, whatever the body', () => {
    const bodies: readonly unknown[] = [
      '{',
      '[]',
      'null',
      '42',
      '"text"',
      'text',
      { code: 0 },
      { message: 'x' },
      { code: '0', data: [] },
      [[1, 2]],
      { errors: [null, { id: 7 }] },
      { code: 'constructor' },
      { code: '__proto__' },
      { code: '1', data: [{ sCode: 'toString' }] },
      { message: 'constructor' },
    ];
    for (let status = 100; status < 600; status++) {
      for (const [body, kind] of [
        ['', 'empty'],
        ['<html></html>', 'html'],
        ['{}', 'json'],
      ] as const) {
        expect(
          failureOf(() => adapter.readCandles(page, respondWith(status, body), NOW_MS)),
          `${status} ${kind}`,
        ).toMatchObject({ code: codeOfFault({ kind: 'status', status, body: kind }, venue.ownStatuses) });
      }
      for (const body of bodies) {
        const fault = failureOf(() => adapter.readCandles(page, respondWith(status, body), NOW_MS));
        if (Array.isArray(fault)) expect([status, fault]).toEqual([200, []]);
        else
          expect(
            fault instanceof ExchangeAPIError && isFaultCode(fault.code),
            `${status} ${JSON.stringify(body)}`,
          ).toBe(true);
      }
    }
  });

  test.each(venue.refusals.filter(({ isCoded }) => isCoded))(
    'card 8: $says means $code with every status that does not decide by itself',
    ({ body, code }) => {
      for (const status of [400, 403, 404, 409, 500, 502, 503, 504])
        expect(
          failureOf(() => adapter.readCandles(page, respondWith(status, body), NOW_MS)),
          String(status),
        ).toMatchObject({ code });
    },
  );

  test.each([
    ['a web page', '<!DOCTYPE html><html></html>', 'SCHEMA_MISMATCH'],
    ['nothing', '', 'SCHEMA_MISMATCH'],
    ['truncated JSON', '[[1588740', 'CONNECTION_FAILED'],
    ['text', 'ok', 'SCHEMA_MISMATCH'],
    ['an object', { rows: [] }, 'SCHEMA_MISMATCH'],
    ['null', 'null', 'SCHEMA_MISMATCH'],
  ] as const)('card 9: a 200 with %s is never "no data"', (_says, body, code) => {
    expect(failureOf(() => adapter.readCandles(page, respondWith(200, body), NOW_MS))).toMatchObject({ code });
    expect(failureOf(() => adapter.rawCandles(respondWith(200, body), NOW_MS))).toMatchObject({ code });
  });

  test.each([1_000, 0.001, 1_000_000])('card 10: times in another unit (x %d) are SCHEMA_MISMATCH', (factor) => {
    const body = Buffer.from(
      queryStandIn(venue, minutes, adapter.candlesRequest(venue.origin, page, NOW_MS).url).body,
    ).toString('utf8');
    const isTime = (timeMs: number): boolean => timeMs >= page.range.fromMs && timeMs <= page.range.toMs;
    const wrong = body.replaceAll(/\b\d{7,13}\b/g, (number) =>
      isTime(Number(number) * venue.timeUnitMs) ? String(Math.floor(Number(number) * factor)) : number,
    );
    expect(wrong).not.toBe(body);
    expect(failureOf(() => adapter.readCandles(page, respondWith(200, wrong), NOW_MS))).toMatchObject({
      code: 'SCHEMA_MISMATCH',
    });
  });

  test.each(venue.recorded)('card 11: recorded: $says', ({ page: recordedPage, body, rows, first }) => {
    const read = adapter.readCandles(recordedPage, respondWith(200, body), NOW_MS);
    expect(read).toHaveLength(rows);
    expect(read[0]).toMatchObject(first);
    const raw = adapter.rawCandles(respondWith(200, body), NOW_MS);
    for (const { index, open, high, low, close, volume } of read)
      expect(Object.values(raw[index] as object).map(Number)).toEqual(
        expect.arrayContaining([open, high, low, close, volume]),
      );
    for (const row of read) expect(validateRow(row, recordedPage.series, { fetchedAtMs: NOW_MS }).errors).toEqual([]);
  });

  test('card 12: the symbol list shows which markets trade and which are aliases', () => {
    const { listings, limits } = adapter.readSymbols(respondWith(200, venue.listing.body), NOW_MS);
    expect(limits).toEqual(venue.listing.limits);
    expect(listings.map(({ symbol }) => symbol)).toEqual(venue.listing.symbols);
    expect(listings.filter(({ isTrading }) => !isTrading).map(({ symbol }) => symbol)).toEqual(
      venue.listing.notTrading,
    );
    expect(listings.filter(({ aliasOf }) => aliasOf !== null).map(({ symbol }) => symbol)).toEqual(
      venue.listing.aliases,
    );
    for (const body of ['', '{', '<html>', '{}', 'null', '[1]']) {
      const read = failureOf(() => adapter.readSymbols(respondWith(200, body), NOW_MS));
      if (!(read instanceof ExchangeAPIError)) expect(read).toMatchObject({ listings: [] });
    }
  });

  test('card 13: only rows of the requested range are accepted', () => {
    const response = queryStandIn(venue, minutes, adapter.candlesRequest(venue.origin, page, NOW_MS).url);
    const half = { ...page, range: { ...page.range, toMs: page.range.fromMs + 20 * 60_000 } };
    for (const row of adapter.readCandles(half, response, NOW_MS)) expect(row.openTimeMs).toBeLessThan(half.range.toMs);
    const elsewhere = {
      ...page,
      range: { fromMs: page.range.fromMs - 86_400_000, toMs: page.range.fromMs - 86_340_000 },
    };
    expect(failureOf(() => adapter.readCandles(elsewhere, response, NOW_MS))).toMatchObject({
      code: 'SCHEMA_MISMATCH',
    });
  });

  test(`card 14: 20,000 mutations of responses are a fault or the sent data, never a defect (seed ${SEED})`, () => {
    const random = seededRandom(`${SEED}/${adapter.exchange}`);
    const originals = originalsOf(venue);
    expect(originals.filter(({ rows }) => rows.size >= 2).length).toBeGreaterThan(
      RECORDINGS.get(adapter.exchange)?.series.length ?? 0,
    );
    for (let round = 0; round < 20_000; round++) {
      const original = originals[randomInt(random, originals.length)] as Original;
      const mutation = MUTATIONS[randomInt(random, MUTATIONS.length)] as Mutation;
      const body = mutation.apply(original.body, random);
      const context = `seed ${SEED}, round ${round}, ${mutation.says}: ${body.slice(0, 200)}`;
      const status = randomInt(random, 4) === 0 ? 100 + randomInt(random, 500) : 200;
      const rows = failureOf(() => adapter.readCandles(original.page, respondWith(status, body), LATER_MS));
      if (Array.isArray(rows))
        expectOnlySentValues(venue, { original, mutation, body, rows: rows as DeliveredRow[], context });
      else expect(rows, context).toBeInstanceOf(ExchangeAPIError);
      for (const read of [adapter.readSymbols, adapter.firstCandle?.read, adapter.ranking?.read]) {
        const other = failureOf(() => read?.(respondWith(status, body), LATER_MS));
        expect(!Error.isError(other) || other instanceof ExchangeAPIError, context).toBe(true);
      }
    }
  });

  test('card 15: tickers give volumes in quote currency; ones without are left out; another body is a fault', () => {
    const { ranking } = adapter;
    expect(ranking === null).toBe(venue.ranking === null);
    if (ranking === null) return;
    expect(Object.fromEntries(ranking.read(respondWith(200, venue.ranking?.body), NOW_MS))).toEqual(
      venue.ranking?.volumes,
    );
    const ranked = ranking.read(queryStandIn(venue, minutes, ranking.request(venue.origin).url), NOW_MS);
    expect([...ranked.keys()]).toEqual([venue.venueSymbol(SYMBOL)]);
    for (const volume of ranked.values()) expect(volume).toBeGreaterThan(0);
    for (const body of ['', '{', '<html>', 'null', '42'])
      expect(failureOf(() => ranking.read(respondWith(200, body), NOW_MS))).toBeInstanceOf(ExchangeAPIError);
    expect(failureOf(() => ranking.read(respondWith(429, ''), NOW_MS))).toMatchObject({
      code: 'EXCHANGE_RATE_LIMITED',
    });
  });

  test.each(adapter.intervals)("card 16: the request for two candles of %s is exactly the venue's", (interval) => {
    const twoCandles: Page = {
      series: seriesOf(venue, interval),
      range: { fromMs: START_MS, toMs: START_MS + 2 * intervalMs(interval) },
    };
    const { url, headers, weight } = adapter.candlesRequest(venue.origin, twoCandles, NOW_MS);
    expect(url).toBe(`${venue.origin}${venue.requests[interval]}`);
    expect([headers, weight > 0]).toEqual([undefined, true]);
  });

  test('card 17: a minute without a trade is delivered as a flat valid row, or not at all', () => {
    const wide: Page = { ...page, range: lastRows(adapter.rowsPerPageMax - 5) };
    const quiet = rowsOf(minutes)
      .filter((row) => row[0] >= wide.range.fromMs && row[0] < wide.range.toMs && Number(row[5]) === 0)
      .map((row) => row[0]);
    const flat = fetchPage(venue, minutes, wide).filter((row) => row.volume === 0);
    expect(quiet.length).toBeGreaterThan(0);
    expect(adapter.emptyCandles).toBe(venue.standIn.emptyCandles);
    expect(flat.map((row) => row.openTimeMs)).toEqual(venue.standIn.emptyCandles === 'flat' ? quiet : []);
    for (const row of flat)
      expect([row.high - row.low, validateRow(row, page.series, { fetchedAtMs: NOW_MS }).errors]).toEqual([0, []]);
  });
});

test('docs/add-an-exchange.md lists exactly the cards of this file', () => {
  const cardsOf = (path: string, pattern: RegExp): number[] =>
    [...readFileSync(join(import.meta.dirname, path), 'utf8').matchAll(pattern)].map(([, card]) => Number(card));
  const cards = cardsOf('exchange-contract.test.ts', /^ +.*['"`]card (\d+): /gm);
  expect(cards).toEqual(cards.map((_card, at) => at + 1));
  expect(cardsOf('../../docs/add-an-exchange.md', /^\| (\d+) \|/gm)).toEqual(cards);
});

test('every venue has at least five intervals', () => {
  for (const { adapter } of CASES)
    expect(INTERVALS.filter((interval) => adapter.intervals.includes(interval)).length).toBeGreaterThanOrEqual(5);
});
