import type { Ranking } from '../adapter.ts';
import { isRecord } from '../response-body.ts';
import { decimalOf } from '../wire-values.ts';
import { dataOf } from './wire.ts';

/** The limit is 20 requests in 2 s, half as many as for candles. Source: OKX API guide, "Get tickers". */
const TICKERS_WEIGHT = 2;

export const ranking: Ranking = {
  request: (origin) => ({ url: `${origin}/api/v5/market/tickers?instType=SPOT`, weight: TICKERS_WEIGHT }),
  read: (response, nowMs) => new Map(dataOf(response, nowMs).flatMap(readTicker)),
};

/** `volCcy24h` of a spot market is in quote currency, `vol24h` in base. */
function readTicker(value: unknown): [string, number][] {
  if (!isRecord(value)) return [];
  const { instId, volCcy24h } = value;
  const volume = decimalOf(volCcy24h);
  return typeof instId === 'string' && volume >= 0 ? [[instId, volume]] : [];
}
