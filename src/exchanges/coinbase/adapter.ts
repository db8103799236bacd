import { intervalMs } from '../../domain/interval.ts';
import { symbolPath } from '../../domain/symbol.ts';
import type { ExchangeAdapter } from '../adapter.ts';
import { translateTransport } from '../transport-errors.ts';
import { rawCandles, readCandles, readProducts } from './wire.ts';
import { errorMapping } from './error-codes.ts';

/** Coinbase Exchange, public market data. Source: docs.cdp.coinbase.com, Exchange API. */
export const coinbase: ExchangeAdapter = {
  exchange: errorMapping.exchange,
  graceMs: errorMapping.graceMs,
  origins: ['https://api.exchange.coinbase.com'],
  unrestrictedOrigin: null,
  rowsPerPageMax: 300,
  limits: [{ name: 'public', limit: 10, windowMs: 1_000, shape: 'bucket', counts: 'requests' }],
  intervals: ['1m', '5m', '15m', '1h', '1d'],
  emptyCandles: 'omitted',

  // Both bounds are inclusive, so the last one is the open of the last candle: 299 steps from the first.
  candlesRequest: (origin, { series, range }) => {
    const stepMs = intervalMs(series.interval);
    const [start, end] = [range.fromMs, range.toMs - stepMs].map((timeMs) => new Date(timeMs).toISOString());
    const path = `products/${symbolPath(series.symbol)}/candles`;
    return { url: `${origin}/${path}?granularity=${stepMs / 1_000}&start=${start}&end=${end}`, weight: 1 };
  },
  readCandles,
  rawCandles,
  firstCandle: null,

  symbolsRequest: (origin) => ({ url: `${origin}/products`, weight: 1 }),
  readSymbols: readProducts,
  ranking: null, // volume-summary counts in base currency and names no price

  translate: (error) => translateTransport(error, errorMapping.exchange),
  usedWeight: () => [],
};
