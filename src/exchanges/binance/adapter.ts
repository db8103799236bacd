import type { Series } from '../../domain/candle.ts';
import { INTERVALS } from '../../domain/interval.ts';
import { symbolJoined } from '../../domain/symbol.ts';
import type { ExchangeAdapter } from '../adapter.ts';
import { translateTransport } from '../transport-errors.ts';
import { ranking } from './ranking.ts';
import { rawKlines, readExchangeInfo, readFirstOpen, readKlines, readUsedWeight, WEIGHT_LIMIT } from './wire.ts';
import { errorMapping } from './error-codes.ts';

const ROWS_PER_PAGE_MAX = 1_000;
const KLINES_WEIGHT = 2;
const EXCHANGE_INFO_WEIGHT = 20;
/**
 * Market data only, without a key; available where the trading hosts refuse a region. Source: binance-spot-api-docs,
 * faqs/market_data_only.md.
 */
const PUBLIC_DATA_ORIGIN = 'https://data-api.binance.vision';

const klinesUrl = (origin: string, { symbol, interval }: Series): string =>
  `${origin}/api/v3/klines?symbol=${symbolJoined(symbol)}&interval=${interval}`;

/** Binance spot, public market data. Source: binance-spot-api-docs, rest-api.md. */
export const binance: ExchangeAdapter = {
  exchange: errorMapping.exchange,
  graceMs: errorMapping.graceMs,
  origins: [
    'https://api.binance.com',
    'https://api-gcp.binance.com',
    'https://api1.binance.com',
    'https://api2.binance.com',
    'https://api3.binance.com',
    'https://api4.binance.com',
    PUBLIC_DATA_ORIGIN,
  ],
  unrestrictedOrigin: PUBLIC_DATA_ORIGIN,
  rowsPerPageMax: ROWS_PER_PAGE_MAX,
  limits: [
    { name: WEIGHT_LIMIT, limit: 6_000, windowMs: 60_000, shape: 'aligned', counts: 'weight' },
    { name: 'RAW_REQUESTS', limit: 61_000, windowMs: 300_000, shape: 'aligned', counts: 'requests' },
  ],
  intervals: INTERVALS,
  emptyCandles: 'flat',

  // Both bounds are inclusive; the last millisecond of the range is rounded down to its last candle.
  candlesRequest: (origin, { series, range }) => {
    const bounds = `startTime=${range.fromMs}&endTime=${range.toMs - 1}&limit=${ROWS_PER_PAGE_MAX}`;
    return { url: `${klinesUrl(origin, series)}&${bounds}`, weight: KLINES_WEIGHT };
  },
  readCandles: readKlines,
  rawCandles: rawKlines,

  firstCandle: {
    request: (origin, series) => ({
      url: `${klinesUrl(origin, series)}&startTime=0&limit=1`,
      weight: KLINES_WEIGHT,
    }),
    read: readFirstOpen,
  },

  symbolsRequest: (origin) => ({ url: `${origin}/api/v3/exchangeInfo`, weight: EXCHANGE_INFO_WEIGHT }),
  readSymbols: readExchangeInfo,
  ranking,

  translate: (error) => translateTransport(error, errorMapping.exchange),
  usedWeight: readUsedWeight,
};
