import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom, randomInt } from '../../src/platform/seeded-random.ts';
import { INTERVALS, intervalMs, type Interval } from '../../src/domain/interval.ts';
import type { TimeRange } from '../../src/domain/range.ts';
import { ExchangeAPIError } from '../../src/errors/errors.ts';
import { isFaultCode } from '../../src/errors/table.ts';
import type { HttpResponse } from '../../src/platform/ports/http.ts';
import type { DeliveredRow, Page } from '../../src/exchanges/adapter.ts';
import { planPages } from '../../src/exchanges/planner.ts';
import { validateRow } from '../../src/lake/quality/row-rules.ts';
import { codeOfFault } from '../../src/simulation/fault-plan.ts';
import { generatedWorld } from '../../src/simulation/generated-world.ts';
import type { ResponseReply } from '../../src/simulation/stand-ins/reply.ts';
import { worldOf, type World } from '../../src/simulation/world.ts';
import type { RecordedCandle } from '../../src/simulation/recorded-series.ts';
import { tidewaterCase } from '../tidewater/case.ts';
import { RECORDINGS } from '../support/recordings.ts';
import { binanceCase } from './binance.ts';
import { coinbaseCase } from './coinbase.ts';
import { decimalsIn, MUTATIONS, type Mutation } from './mutation.ts';
import { okxCase } from './okx.ts';
import { respondWith, type VenueCase } from './exchange-case.ts';

const CASES: readonly VenueCase[] = [binanceCase, coinbaseCase, okxCase, tidewaterCase];
const SYMBOL = 'BTC/USDT';
const START_MS = Date.UTC(2024, 4, 20);
const NOW_MS = Date.UTC(2024, 5, 1, 12);
const CANDLES = 2_500;
/** After every recording. */
const LATER_MS = Date.UTC(2026, 5, 1, 12);
const SEED = process.env['CANDLEKEEP_SEED'] ?? 'mutations';

/** Generated candles of one series up to now, the last one still open. */
function generatedCandles(venue: VenueCase, interval: Interval): World {
  const stepMs = intervalMs(interval);
  const range = { fromMs: Math.floor(NOW_MS / stepMs) * stepMs - CANDLES * stepMs, toMs: NOW_MS + stepMs };
  return generatedWorld('contract', [{ symbol: SYMBOL, venueSymbol: venue.venueSymbol(SYMBOL), interval, range }]);
}

const rowsOf = (world: World): readonly RecordedCandle[] => world.series[0]?.rows ?? [];
const seriesOf = (venue: VenueCase, interval: Interval) => ({
  exchange: venue.adapter.exchange,
  symbol: SYMBOL,
  interval,
});

function askStandIn(venue: VenueCase, world: World, url: string, nowMs = NOW_MS): HttpResponse {
  const { pathname, searchParams } = new URL(url);
  const reply = venue.standIn
    .open({ world })
    .handle(
      { method: 'GET', path: pathname, query: searchParams, headers: {}, body: Buffer.alloc(0) },
      nowMs,
    ) as ResponseReply;
  return { status: reply.status, headers: reply.headers, body: reply.body };
}

function fetchPage(venue: VenueCase, world: World, page: Page): readonly DeliveredRow[] {
  return venue.adapter.readCandles(
    page,
    askStandIn(venue, world, venue.adapter.candlesRequest(venue.origin, page, NOW_MS).url),
    NOW_MS,
  );
}

/** What the venue delivers of a stretch: closed and settled candles, without those it leaves out. */
const delivered = (venue: VenueCase, world: World, { fromMs, toMs }: TimeRange, stepMs: number): number[] =>
  rowsOf(world)
    .filter(
      (row) =>
        row[0] >= fromMs &&
        row[0] < toMs &&
        row[0] + stepMs + venue.adapter.graceMs <= NOW_MS &&
        (venue.standIn.emptyCandles === 'flat' || Number(row[5]) > 0),
    )
    .map((row) => row[0]);

function failureOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

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

  test('card 3: a candle is not taken before it has closed and the venue had its grace', () => {
    const last = rowsOf(minutes).at(-3) as RecordedCandle;
    const around: Page = { ...page, range: { fromMs: last[0], toMs: last[0] + 60_000 } };
    const response = askStandIn(venue, minutes, adapter.candlesRequest(venue.origin, around, NOW_MS).url);
    expect(adapter.readCandles(around, response, last[6] + 1 + adapter.graceMs - 1)).toEqual([]);
    expect(adapter.readCandles(around, response, last[6] + 1 + adapter.graceMs).length).toBe(
      delivered(venue, minutes, around.range, 60_000).length,
    );
    const early = { ...response, headers: { date: new Date(last[6] - 5_000).toUTCString() } };
    expect(
      adapter.readCandles(around, early, last[6] + 1 + adapter.graceMs),
      'the venue says that it is earlier',
    ).toEqual([]);
  });

  test('card 4: a range before the listing is an empty answer and no fault', () => {
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
      askStandIn(venue, minutes, adapter.symbolsRequest(venue.origin).url),
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
    ['cut JSON', '[[1588740', 'CONNECTION_FAILED'],
    ['text', 'ok', 'SCHEMA_MISMATCH'],
    ['an object', { rows: [] }, 'SCHEMA_MISMATCH'],
    ['null', 'null', 'SCHEMA_MISMATCH'],
  ] as const)('card 9: a 200 with %s is never "no data"', (_says, body, code) => {
    expect(failureOf(() => adapter.readCandles(page, respondWith(200, body), NOW_MS))).toMatchObject({ code });
    expect(failureOf(() => adapter.rawCandles(respondWith(200, body), NOW_MS))).toMatchObject({ code });
  });

  test.each([1_000, 0.001, 1_000_000])('card 10: times in another unit (x %d) are SCHEMA_MISMATCH', (factor) => {
    const body = Buffer.from(
      askStandIn(venue, minutes, adapter.candlesRequest(venue.origin, page, NOW_MS).url).body,
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

  test.each(venue.recorded)('card 11: recorded: $says', ({ page: asked, body, rows, first }) => {
    const read = adapter.readCandles(asked, respondWith(200, body), NOW_MS);
    expect(read).toHaveLength(rows);
    expect(read[0]).toMatchObject(first);
    const raw = adapter.rawCandles(respondWith(200, body), NOW_MS);
    for (const { index, open, high, low, close, volume } of read)
      expect(Object.values(raw[index] as object).map(Number)).toEqual(
        expect.arrayContaining([open, high, low, close, volume]),
      );
    for (const row of read) expect(validateRow(row, asked.series, { fetchedAtMs: NOW_MS }).errors).toEqual([]);
  });

  test('card 12: the symbol list tells what trades and what is only another name', () => {
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

  test('card 13: nothing in the answer is taken for a row of another range', () => {
    const response = askStandIn(venue, minutes, adapter.candlesRequest(venue.origin, page, NOW_MS).url);
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

  test(`card 14: 20,000 mutations of recorded answers never crash, are never a defect and never pass as other data (seed ${SEED})`, () => {
    const random = seededRandom(`${SEED}/${adapter.exchange}`);
    const originals = originalsOf(venue);
    expect(originals.filter(({ rows }) => rows.size >= 2).length).toBeGreaterThan(
      RECORDINGS.get(adapter.exchange)?.series.length ?? 0,
    );
    for (let turn = 0; turn < 20_000; turn++) {
      const original = originals[randomInt(random, originals.length)] as Original;
      const mutation = MUTATIONS[randomInt(random, MUTATIONS.length)] as Mutation;
      const body = mutation.apply(original.body, random);
      const context = `seed ${SEED}, turn ${turn}, ${mutation.says}: ${body.slice(0, 200)}`;
      const status = randomInt(random, 4) === 0 ? 100 + randomInt(random, 500) : 200;
      const rows = failureOf(() => adapter.readCandles(original.asked, respondWith(status, body), LATER_MS));
      if (Array.isArray(rows))
        expectOnlyWhatWasSaid(venue, { original, mutation, body, rows: rows as DeliveredRow[], context });
      else expect(rows, context).toBeInstanceOf(ExchangeAPIError);
      for (const read of [adapter.readSymbols, adapter.firstCandle?.read, adapter.ranking?.read]) {
        const other = failureOf(() => read?.(respondWith(status, body), LATER_MS));
        expect(!Error.isError(other) || other instanceof ExchangeAPIError, context).toBe(true);
      }
    }
  });

  test('card 15: tickers, where a venue has them, give volumes in quote currency; what states none is left out, and what are no tickers is a fault', () => {
    const { ranking } = adapter;
    expect(ranking === null).toBe(venue.ranking === null);
    if (ranking === null) return;
    expect(Object.fromEntries(ranking.read(respondWith(200, venue.ranking?.body), NOW_MS))).toEqual(
      venue.ranking?.volumes,
    );
    const spoken = ranking.read(askStandIn(venue, minutes, ranking.request(venue.origin).url), NOW_MS);
    expect([...spoken.keys()]).toEqual([venue.venueSymbol(SYMBOL)]);
    for (const volume of spoken.values()) expect(volume).toBeGreaterThan(0);
    for (const body of ['', '{', '<html>', 'null', '42'])
      expect(failureOf(() => ranking.read(respondWith(200, body), NOW_MS))).toBeInstanceOf(ExchangeAPIError);
    expect(failureOf(() => ranking.read(respondWith(429, ''), NOW_MS))).toMatchObject({
      code: 'EXCHANGE_RATE_LIMITED',
    });
  });

  test.each(adapter.intervals)(
    "card 16: two candles of %s are asked for in the venue's own words, and in no others",
    (interval) => {
      const twoCandles: Page = {
        series: seriesOf(venue, interval),
        range: { fromMs: START_MS, toMs: START_MS + 2 * intervalMs(interval) },
      };
      const { url, headers, weight } = adapter.candlesRequest(venue.origin, twoCandles, NOW_MS);
      expect(url).toBe(`${venue.origin}${venue.requests[interval]}`);
      expect([headers, weight > 0]).toEqual([undefined, true]);
    },
  );

  test('card 17: a minute without a trade comes as a flat valid row, or not at all', () => {
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

test('the contract is kept at every interval the venues share', () => {
  for (const { adapter } of CASES)
    expect(INTERVALS.filter((interval) => adapter.intervals.includes(interval)).length).toBeGreaterThanOrEqual(5);
});

/** Rows that break no rule: what would be stored. */
const validOf = (rows: readonly DeliveredRow[], asked: Page): DeliveredRow[] =>
  rows.filter((row) => validateRow(row, asked.series, { fetchedAtMs: LATER_MS }).errors.length === 0);

interface Original {
  readonly asked: Page;
  readonly body: string;
  /** What is read of the body unspoiled, by open time. */
  readonly rows: ReadonlyMap<number, DeliveredRow>;
}

/** Answers over recorded candles, answers as they were recorded, and every refusal. */
function originalsOf(venue: VenueCase): readonly Original[] {
  const { adapter } = venue;
  const recordings = (RECORDINGS.get(adapter.exchange)?.series ?? []).map((series) => {
    const openTimeMs = (series.rows[Math.floor(series.rows.length / 2)] as RecordedCandle)[0];
    const asked: Page = {
      series: { exchange: adapter.exchange, symbol: series.symbol, interval: series.interval },
      range: { fromMs: openTimeMs, toMs: openTimeMs + 40 * intervalMs(series.interval) },
    };
    return {
      asked,
      body: Buffer.from(
        askStandIn(venue, worldOf([series]), adapter.candlesRequest(venue.origin, asked, LATER_MS).url, LATER_MS).body,
      ).toString('utf8'),
    };
  });
  const page = { series: seriesOf(venue, '1m'), range: { fromMs: START_MS, toMs: START_MS + 6_000_000 } };
  const refused = venue.refusals.map(({ body }) => ({
    asked: page,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }));
  return [
    ...recordings,
    ...venue.recorded.map((one) => ({ asked: one.page, body: JSON.stringify(one.body) })),
    ...refused,
  ].map((one) => {
    const read = failureOf(() => adapter.readCandles(one.asked, respondWith(200, one.body), LATER_MS));
    return {
      ...one,
      rows: new Map(
        Array.isArray(read) ? validOf(read as DeliveredRow[], one.asked).map((row) => [row.openTimeMs, row]) : [],
      ),
    };
  });
}

interface Reading {
  readonly original: Original;
  readonly mutation: Mutation;
  readonly body: string;
  readonly rows: readonly DeliveredRow[];
  readonly context: string;
}

/**
 * A reader can know shape, types, unit, range, grid, whether a candle has closed, the order of its prices
 * and its average price. It cannot know that a digit was another digit before. So of what it lets pass:
 * every row lies on the grid of the asked range, and is the row that was sent, unless the mutation may
 * have put one plausible decimal in the place of another: then each of its values is a decimal of the body.
 */
function expectOnlyWhatWasSaid(venue: VenueCase, { original, mutation, body, rows, context }: Reading): void {
  const { series, range } = original.asked;
  const said = mutation.spoils === 'digits' ? decimalsIn(body) : new Set<number>();
  for (const { index: _index, ...row } of validOf(rows, original.asked)) {
    expect(
      row.openTimeMs % intervalMs(series.interval) === 0 &&
        row.openTimeMs >= range.fromMs &&
        row.openTimeMs < range.toMs,
      context,
    ).toBe(true);
    if (mutation.spoils === 'values') {
      const { index: _sent, ...sent } = original.rows.get(row.openTimeMs) ?? { index: 0 };
      expect(row, context).toEqual(sent);
      continue;
    }
    const { openTimeMs, closeTimeMs, ...values } = row;
    expect(said.has(openTimeMs / venue.timeUnitMs) && (closeTimeMs === null || said.has(closeTimeMs)), context).toBe(
      true,
    );
    for (const value of Object.values(values))
      expect(value === null || said.has(value), `${context}: ${value}`).toBe(true);
  }
}
