import type { HttpAnswer } from '../../../kernel/http.ts';
import { GRACE_MS } from '../../../market/exchange.ts';
import { intervalMs } from '../../../market/interval.ts';
import { isRecord, readBody } from '../answer-body.ts';
import type { DeliveredRow, Listing, Page, VenueLimit } from '../adapter.ts';
import { faultOf } from './faults.ts';

/** Fields of a kline row. Source: binance-spot-api-docs, rest-api.md, "Kline/Candlestick data". */
const FIELDS_MIN = 11;
/** 2010-01-01 to 2100-01-01 in milliseconds: 13 digits. Seconds and microseconds fall outside. */
const TIME_MS_MIN = 1_262_304_000_000;
const TIME_MS_MAX = 4_102_444_800_000;

/**
 * Rows of a kline answer that lie in the page's range and had closed, oldest first as delivered.
 * A value that is no number becomes NaN and is judged with the row; a wrong container, arity or time
 * unit is a wrong answer as a whole, and so is an answer none of whose rows lies in the asked range.
 */
export function readKlines(page: Page, answer: HttpAnswer, nowMs: number): readonly DeliveredRow[] {
  const rows = jsonOf(answer, nowMs, Array.isArray) as readonly unknown[];
  const read = rows.map((row, index) => readRow(row, index) ?? fail(answer, nowMs, `row ${index} is no kline`));
  const { fromMs, toMs } = page.range;
  const inside = read.filter((row) => row.openTimeMs >= fromMs && row.openTimeMs < toMs);
  if (read.length > 0 && inside.length === 0) fail(answer, nowMs, 'no row lies in the asked range');
  const settledMs = nowMs - GRACE_MS.binance;
  return inside.filter((row) => row.openTimeMs + intervalMs(page.series.interval) <= settledMs).toSorted((a, b) => a.openTimeMs - b.openTimeMs);
}

/** Open time of the only row of a first-candle answer; null for an empty list. */
export function readFirstOpen(answer: HttpAnswer, nowMs: number): number | null {
  const rows = jsonOf(answer, nowMs, Array.isArray) as readonly unknown[];
  if (rows.length === 0) return null;
  return (readRow(rows[0], 0) ?? fail(answer, nowMs, 'the first row is no kline')).openTimeMs;
}

function readRow(row: unknown, index: number): DeliveredRow | null {
  if (!Array.isArray(row) || row.length < FIELDS_MIN) return null;
  const fields = row as readonly unknown[];
  const [openTimeMs, closeTimeMs] = [fields[0], fields[6]];
  if (!isTime(openTimeMs) || !isTime(closeTimeMs)) return null;
  return {
    index,
    openTimeMs,
    open: numberOf(fields[1]),
    high: numberOf(fields[2]),
    low: numberOf(fields[3]),
    close: numberOf(fields[4]),
    volume: numberOf(fields[5]),
    closeTimeMs,
    quoteVolume: numberOf(fields[7]),
    trades: numberOf(fields[8]),
  };
}

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= TIME_MS_MIN && value < TIME_MS_MAX;

/** A decimal, as text or JSON number; `7.0E-8` is one. Anything else is NaN. */
const numberOf = (value: unknown): number => (typeof value === 'number' ? value : typeof value === 'string' && DECIMAL.test(value) ? Number(value) : Number.NaN);
const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Markets and limits of `exchangeInfo`. */
export function readExchangeInfo(answer: HttpAnswer, nowMs: number): { readonly listings: readonly Listing[]; readonly limits: readonly VenueLimit[] } {
  const info = jsonOf(answer, nowMs, isRecord) as Readonly<Record<string, unknown>>;
  const { symbols, rateLimits } = info;
  if (!Array.isArray(symbols) || !Array.isArray(rateLimits)) return fail(answer, nowMs, 'symbols or rateLimits are missing');
  return { listings: symbols.flatMap(readListing), limits: rateLimits.flatMap(readLimit) };
}

function readListing(value: unknown): Listing[] {
  if (!isRecord(value)) return [];
  const { baseAsset, quoteAsset, symbol, status } = value;
  if (typeof baseAsset !== 'string' || typeof quoteAsset !== 'string' || typeof symbol !== 'string') return [];
  return [{ symbol: `${baseAsset}/${quoteAsset}`, venueSymbol: symbol, trading: status === 'TRADING' }];
}

const UNIT_MS: Readonly<Record<string, number>> = { SECOND: 1_000, MINUTE: 60_000, HOUR: 3_600_000, DAY: 86_400_000 };

function readLimit(value: unknown): VenueLimit[] {
  if (!isRecord(value)) return [];
  const { rateLimitType, interval, intervalNum, limit } = value;
  const unitMs = typeof interval === 'string' ? UNIT_MS[interval] : undefined;
  if (typeof rateLimitType !== 'string' || rateLimitType === 'ORDERS' || unitMs === undefined || typeof intervalNum !== 'number' || typeof limit !== 'number') return [];
  return [{ name: rateLimitType, limit, windowMs: unitMs * intervalNum }];
}

/** The JSON of a 200 with the expected container. @throws ExchangeAPIError for everything else. */
function jsonOf(answer: HttpAnswer, nowMs: number, isExpected: (value: unknown) => boolean): unknown {
  if (answer.status !== 200) return fail(answer, nowMs);
  const body = readBody(answer);
  if (body.kind !== 'json') return fail(answer, nowMs, BODY_SAYS[body.kind]);
  return isExpected(body.value) ? body.value : fail(answer, nowMs, 'the JSON is not what was asked for');
}

const BODY_SAYS = { markup: 'a web page instead of data', empty: 'an empty body', truncated: 'the JSON is cut off', text: 'text instead of data' } as const;

function fail(answer: HttpAnswer, nowMs: number, reason?: string): never {
  throw faultOf(answer, nowMs, reason);
}
