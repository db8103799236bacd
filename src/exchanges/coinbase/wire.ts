import type { HttpResponse } from '../../platform/ports/http.ts';
import type { DeliveredRow, Listing, Page } from '../adapter.ts';
import { isRecord } from '../response-body.ts';
import { responseError, jsonOf } from '../response-errors.ts';
import { candleRows, type WireRow } from '../candle-rows.ts';
import { decimalOf, isTimeMs } from '../wire-values.ts';
import { errorMapping } from './error-codes.ts';

/** `[time s, low, high, open, close, volume]`. Source: Coinbase Exchange API, "Get product candles". */
const FIELDS = 6;

export const readCandles = (page: Page, response: HttpResponse, nowMs: number): readonly DeliveredRow[] =>
  candleRows(errorMapping, { page, response, nowMs, rows: rawCandles(response, nowMs) }, readRow);

export const rawCandles = (response: HttpResponse, nowMs: number): readonly unknown[] =>
  listOf(response, nowMs, 'candles');

function listOf(response: HttpResponse, nowMs: number, of: string): readonly unknown[] {
  const rows = jsonOf(errorMapping, response, nowMs);
  if (!Array.isArray(rows)) throw responseError(errorMapping, { response, nowMs, reason: `no list of ${of}` });
  return rows;
}

function readRow(row: unknown, index: number): WireRow | null {
  if (!Array.isArray(row) || row.length !== FIELDS) return null;
  const [time, low, high, open, close, volume] = row as readonly unknown[];
  const openTimeMs = typeof time === 'number' ? time * 1_000 : null;
  if (!isTimeMs(openTimeMs)) return null;
  const candle = {
    index,
    openTimeMs,
    open: decimalOf(open),
    high: decimalOf(high),
    low: decimalOf(low),
    close: decimalOf(close),
    volume: decimalOf(volume),
    closeTimeMs: null,
    quoteVolume: null,
    trades: null,
  };
  return { row: candle, isClosed: null };
}

/** Products, each with the product it is an alias of. */
export function readProducts(
  response: HttpResponse,
  nowMs: number,
): { readonly listings: readonly Listing[]; readonly limits: readonly [] } {
  return { listings: listOf(response, nowMs, 'products').flatMap(readListing), limits: [] };
}

function readListing(value: unknown): Listing[] {
  if (!isRecord(value)) return [];
  const { id, base_currency: base, quote_currency: quote, status, trading_disabled: isDisabled, alias } = value;
  if (typeof id !== 'string' || typeof base !== 'string' || typeof quote !== 'string') return [];
  return [
    {
      symbol: `${base}/${quote}`,
      venueSymbol: id,
      isTrading: status === 'online' && isDisabled !== true,
      aliasOf: typeof alias === 'string' && alias !== '' ? alias.replace('-', '/') : null,
    },
  ];
}
