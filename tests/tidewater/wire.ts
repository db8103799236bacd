import type { HttpResponse } from '../../src/platform/ports/http.ts';
import type { DeliveredRow, Listing, Page } from '../../src/exchanges/adapter.ts';
import { isRecord } from '../../src/exchanges/response-body.ts';
import { responseError, jsonOf } from '../../src/exchanges/response-errors.ts';
import { candleRows, type WireRow } from '../../src/exchanges/candle-rows.ts';
import { decimalOf, isTimeMs } from '../../src/exchanges/wire-values.ts';
import { errorMapping } from './error-codes.ts';

export const readBars = (page: Page, response: HttpResponse, nowMs: number): readonly DeliveredRow[] =>
  candleRows(errorMapping, { page, response, nowMs, rows: rawBars(response, nowMs) }, readRow);

export const rawBars = (response: HttpResponse, nowMs: number): readonly unknown[] => resultOf(response, nowMs, 'bars');

function resultOf(response: HttpResponse, nowMs: number, name: string): readonly unknown[] {
  const body = jsonOf(errorMapping, response, nowMs);
  const result = isRecord(body) && body['ok'] === true && isRecord(body['result']) ? body['result'][name] : undefined;
  if (!Array.isArray(result)) throw responseError(errorMapping, { response, nowMs, reason: `no ${name}` });
  return result;
}

/** `{"at": minutes, "o", "h", "l", "c", "v": strings, "n": trades, "done": true}`. */
function readRow(row: unknown, index: number): WireRow | null {
  if (!isRecord(row)) return null;
  const { at, o, h, l, c, v, n, done } = row;
  const openTimeMs = typeof at === 'number' ? at * 60_000 : null;
  if (!isTimeMs(openTimeMs) || typeof done !== 'boolean') return null;
  const candle = {
    index,
    openTimeMs,
    open: decimalOf(o),
    high: decimalOf(h),
    low: decimalOf(l),
    close: decimalOf(c),
    volume: decimalOf(v),
    closeTimeMs: null,
    quoteVolume: null,
    trades: decimalOf(n),
  };
  return { row: candle, isClosed: done };
}

export const readMarkets = (
  response: HttpResponse,
  nowMs: number,
): { readonly listings: readonly Listing[]; readonly limits: readonly [] } => ({
  listings: resultOf(response, nowMs, 'markets').flatMap(readMarket),
  limits: [],
});

function readMarket(value: unknown): Listing[] {
  if (!isRecord(value)) return [];
  const { name, base, quote, open } = value;
  if (typeof name !== 'string' || typeof base !== 'string' || typeof quote !== 'string') return [];
  return [{ symbol: `${base}/${quote}`, venueSymbol: name, isTrading: open === true, aliasOf: null }];
}
