import type { HttpAnswer } from '../../platform/ports/http.ts';
import type { DeliveredRow, Listing, Page } from '../adapter.ts';
import { isRecord } from '../response-body.ts';
import { answerFault, jsonOf } from '../response-errors.ts';
import { candleRows, type WireRow } from '../candle-rows.ts';
import { decimalOf, isTimeMs } from '../wire-values.ts';
import { words } from './error-codes.ts';

/** `[ts, o, h, l, c, vol, volCcy, volCcyQuote, confirm]`, all texts. Source: OKX API guide, "Get candlesticks". */
const FIELDS = 9;
const SUCCESS = '0';

export const readCandles = (page: Page, answer: HttpAnswer, nowMs: number): readonly DeliveredRow[] =>
  candleRows(words, { page, answer, nowMs, rows: dataOf(answer, nowMs) }, readRow);

export function dataOf(answer: HttpAnswer, nowMs: number): readonly unknown[] {
  const body = jsonOf(words, answer, nowMs);
  const [code, data] = isRecord(body) ? [body['code'], body['data']] : [];
  if (code !== SUCCESS) throw answerFault(words, { answer, nowMs, reason: 'no success' });
  if (!Array.isArray(data)) throw answerFault(words, { answer, nowMs, reason: 'no data' });
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

/** Spot instruments; a delisted one is not in the list any more. */
export function readInstruments(
  answer: HttpAnswer,
  nowMs: number,
): { readonly listings: readonly Listing[]; readonly limits: readonly [] } {
  return { listings: dataOf(answer, nowMs).flatMap(readListing), limits: [] };
}

function readListing(value: unknown): Listing[] {
  if (!isRecord(value)) return [];
  const { instId, baseCcy, quoteCcy, state } = value;
  if (typeof instId !== 'string' || typeof baseCcy !== 'string' || typeof quoteCcy !== 'string') return [];
  return [{ symbol: `${baseCcy}/${quoteCcy}`, venueSymbol: instId, isTrading: state === 'live', aliasOf: null }];
}
