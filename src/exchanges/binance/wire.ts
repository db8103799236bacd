import type { HttpResponse } from '../../platform/ports/http.ts';
import type { RateLimit, UsedWeight } from '../../resilience/rate-limit/rate-limit.ts';
import type { DeliveredRow, Listing, Page } from '../adapter.ts';
import { isRecord } from '../response-body.ts';
import { responseError, jsonOf } from '../response-errors.ts';
import { candleRows, type WireRow } from '../candle-rows.ts';
import { decimalOf, isTimeMs } from '../wire-values.ts';
import { errorMapping } from './error-codes.ts';

/** Fields of a kline row. Source: binance-spot-api-docs, rest-api.md, "Kline/Candlestick data". */
const FIELDS = 12;

export const readKlines = (page: Page, response: HttpResponse, nowMs: number): readonly DeliveredRow[] =>
  candleRows(errorMapping, { page, response, nowMs, rows: rawKlines(response, nowMs) }, readRow);

export const rawKlines = (response: HttpResponse, nowMs: number): readonly unknown[] =>
  listOf(response, nowMs, 'klines');

/** Open time of the only row of a first-candle response; null for an empty list. */
export function readFirstOpen(response: HttpResponse, nowMs: number): number | null {
  const rows = rawKlines(response, nowMs);
  if (rows.length === 0) return null;
  const first = readRow(rows[0], 0);
  if (first === null) throw responseError(errorMapping, { response, nowMs, reason: 'the first row is no kline' });
  return first.row.openTimeMs;
}

export function listOf(response: HttpResponse, nowMs: number, of: string): readonly unknown[] {
  const rows = jsonOf(errorMapping, response, nowMs);
  if (!Array.isArray(rows)) throw responseError(errorMapping, { response, nowMs, reason: `no list of ${of}` });
  return rows;
}

function readRow(row: unknown, index: number): WireRow | null {
  if (!Array.isArray(row) || row.length !== FIELDS) return null;
  const [openTimeMs, open, high, low, close, volume, closeTimeMs, quoteVolume, trades] = row as readonly unknown[];
  if (!isTimeMs(openTimeMs) || !isTimeMs(closeTimeMs)) return null;
  const candle = {
    index,
    openTimeMs,
    open: decimalOf(open),
    high: decimalOf(high),
    low: decimalOf(low),
    close: decimalOf(close),
    volume: decimalOf(volume),
    closeTimeMs,
    quoteVolume: decimalOf(quoteVolume),
    trades: decimalOf(trades),
  };
  return { row: candle, isClosed: null };
}

/** Markets and limits of `exchangeInfo`. */
export function readExchangeInfo(
  response: HttpResponse,
  nowMs: number,
): { readonly listings: readonly Listing[]; readonly limits: readonly RateLimit[] } {
  const info = jsonOf(errorMapping, response, nowMs);
  const [symbols, limits] = isRecord(info) ? [info['symbols'], info['rateLimits']] : [];
  if (!Array.isArray(symbols) || !Array.isArray(limits))
    throw responseError(errorMapping, { response, nowMs, reason: 'symbols or rateLimits are missing' });
  return { listings: symbols.flatMap(readListing), limits: limits.flatMap(readLimit) };
}

function readListing(value: unknown): Listing[] {
  if (!isRecord(value)) return [];
  const { baseAsset, quoteAsset, symbol, status } = value;
  if (typeof baseAsset !== 'string' || typeof quoteAsset !== 'string' || typeof symbol !== 'string') return [];
  return [
    { symbol: `${baseAsset}/${quoteAsset}`, venueSymbol: symbol, isTrading: status === 'TRADING', aliasOf: null },
  ];
}

const UNIT_MS: ReadonlyMap<unknown, number> = new Map([
  ['SECOND', 1_000],
  ['MINUTE', 60_000],
  ['HOUR', 3_600_000],
  ['DAY', 86_400_000],
]);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

function readLimit(value: unknown): RateLimit[] {
  if (!isRecord(value)) return [];
  const { rateLimitType, interval, intervalNum, limit } = value;
  const unitMs = UNIT_MS.get(interval);
  if (
    typeof rateLimitType !== 'string' ||
    rateLimitType === 'ORDERS' ||
    unitMs === undefined ||
    !isCount(intervalNum) ||
    !isCount(limit)
  )
    return [];
  return [
    {
      name: rateLimitType,
      limit,
      windowMs: unitMs * intervalNum,
      shape: 'aligned',
      counts: rateLimitType === 'RAW_REQUESTS' ? 'requests' : 'weight',
    },
  ];
}

export const WEIGHT_LIMIT = 'REQUEST_WEIGHT';

/**
 * `x-mbx-used-weight-1m: 1234`, one header for each window. Source: binance-spot-api-docs, rest-api.md, "IP Limits".
 */
const USED_WEIGHT = /^x-mbx-used-weight-(\d{1,4})([smhd])$/;
const UNIT_OF_LETTER: ReadonlyMap<unknown, string> = new Map([
  ['s', 'SECOND'],
  ['m', 'MINUTE'],
  ['h', 'HOUR'],
  ['d', 'DAY'],
]);

export const readUsedWeight = ({ headers }: HttpResponse): readonly UsedWeight[] =>
  Object.entries(headers).flatMap(([header, text]) => {
    const [, count, letter] = USED_WEIGHT.exec(header) ?? [];
    const unitMs = UNIT_MS.get(UNIT_OF_LETTER.get(letter) ?? '');
    const used = Number(text);
    return unitMs === undefined || !Number.isInteger(used) || used < 0
      ? []
      : [{ name: WEIGHT_LIMIT, windowMs: Number(count) * unitMs, used }];
  });
