import type { HttpResponse } from '../../platform/ports/http.ts';
import type { DeliveredRow, Listing, Page } from '../adapter.ts';
import { isRecord } from '../response-body.ts';
import { responseError, jsonOf } from '../response-errors.ts';
import { candleRows, type WireRow } from '../candle-rows.ts';
import { decimalOf, isTimeMs } from '../wire-values.ts';
import { errorMapping } from './error-codes.ts';

/** `[ts, o, h, l, c, vol, volCcy, volCcyQuote, confirm]`, all strings. Source: OKX API guide, "Get candlesticks". */
const FIELDS = 9;
const SUCCESS = '0';

export const readCandles = (page: Page, response: HttpResponse, nowMs: number): readonly DeliveredRow[] =>
  candleRows(errorMapping, { page, response, nowMs, rows: dataOf(response, nowMs) }, readRow);

export function dataOf(response: HttpResponse, nowMs: number): readonly unknown[] {
  const body = jsonOf(errorMapping, response, nowMs);
  const [code, data] = isRecord(body) ? [body['code'], body['data']] : [];
  if (code !== SUCCESS) throw responseError(errorMapping, { response, nowMs, reason: 'no success' });
  if (!Array.isArray(data)) throw responseError(errorMapping, { response, nowMs, reason: 'no data' });
  return data;
}

function readRow(row: unknown, index: number): WireRow | null {
  if (!Array.isArray(row) || row.length !== FIELDS) return null;
  const [time, open, high, low, close, volume, , quoteVolume, confirm] = row as readonly unknown[];
  const openTimeMs = decimalOf(time);
  if (!isTimeMs(openTimeMs) || (confirm !== '0' && confirm !== '1')) return null;
  const candle = {
    index,
    openTimeMs,
    open: decimalOf(open),
    high: decimalOf(high),
    low: decimalOf(low),
    close: decimalOf(close),
    volume: decimalOf(volume),
    closeTimeMs: null,
    quoteVolume: decimalOf(quoteVolume),
    trades: null,
  };
  return { row: candle, isClosed: confirm === '1' };
}

/** Spot instruments. Delisted ones are not in the list. */
export function readInstruments(
  response: HttpResponse,
  nowMs: number,
): { readonly listings: readonly Listing[]; readonly limits: readonly [] } {
  return { listings: dataOf(response, nowMs).flatMap(readListing), limits: [] };
}

function readListing(value: unknown): Listing[] {
  if (!isRecord(value)) return [];
  const { instId, baseCcy, quoteCcy, state } = value;
  if (typeof instId !== 'string' || typeof baseCcy !== 'string' || typeof quoteCcy !== 'string') return [];
  return [{ symbol: `${baseCcy}/${quoteCcy}`, venueSymbol: instId, isTrading: state === 'live', aliasOf: null }];
}
