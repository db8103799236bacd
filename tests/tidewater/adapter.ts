import { symbolPath } from '../../src/domain/symbol.ts';
import { intervalMs } from '../../src/domain/interval.ts';
import type { ExchangeAdapter } from '../../src/exchanges/adapter.ts';
import { translateTransport } from '../../src/exchanges/transport-errors.ts';
import { rawBars, readBars, readMarkets } from './wire.ts';
import { errorMapping } from './error-codes.ts';

const BARS_PER_PAGE_MAX = 200;

const minutesOf = (timeMs: number): number => timeMs / 60_000;

/** A made-up exchange for tests, which differs from the real ones wherever it can. */
export const tidewater: ExchangeAdapter = {
  exchange: errorMapping.exchange,
  graceMs: errorMapping.graceMs,
  origins: ['https://api.tidewater.test'],
  unrestrictedOrigin: null,
  rowsPerPageMax: BARS_PER_PAGE_MAX,
  emptyCandles: 'omitted',
  limits: [{ name: 'public', limit: 5, windowMs: 1_000, shape: 'sliding', counts: 'requests' }],
  intervals: ['1m', '5m', '15m', '1h', '1d'],

  // `since` is inclusive, `until` is not; both in minutes.
  candlesRequest: (origin, { series, range }) => ({
    url:
      `${origin}/v1/bars/${symbolPath(series.symbol).toLowerCase()}` +
      `?minutes=${minutesOf(intervalMs(series.interval))}` +
      `&since=${minutesOf(range.fromMs)}&until=${minutesOf(range.toMs)}`,
    weight: 1,
  }),
  readCandles: readBars,
  rawCandles: rawBars,
  firstCandle: null,

  symbolsRequest: (origin) => ({ url: `${origin}/v1/markets`, weight: 1 }),
  readSymbols: readMarkets,
  ranking: null,

  translate: (error) => translateTransport(error, errorMapping.exchange),
  usedWeight: () => [],
};
