import type { Ranking } from '../adapter.ts';
import { isRecord } from '../response-body.ts';
import { decimalOf } from '../wire-values.ts';
import { listOf } from './wire.ts';

/** One request for all symbols. Source: binance-spot-api-docs, rest-api.md, "24hr ticker price change statistics". */
const TICKERS_WEIGHT = 80;

export const ranking: Ranking = {
  request: (origin) => ({ url: `${origin}/api/v3/ticker/24hr?type=MINI`, weight: TICKERS_WEIGHT }),
  read: (response, nowMs) => new Map(listOf(response, nowMs, 'tickers').flatMap(readTicker)),
};

function readTicker(value: unknown): [string, number][] {
  if (!isRecord(value)) return [];
  const { symbol, quoteVolume } = value;
  const volume = decimalOf(quoteVolume);
  return typeof symbol === 'string' && volume >= 0 ? [[symbol, volume]] : [];
}
