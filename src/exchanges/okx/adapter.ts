import { intervalMs, INTERVALS, type Interval } from '../../domain/interval.ts';
import { symbolPath } from '../../domain/symbol.ts';
import type { ExchangeAdapter } from '../adapter.ts';
import { translateTransport } from '../transport-errors.ts';
import { ranking } from './ranking.ts';
import { dataOf, readCandles, readInstruments } from './wire.ts';
import { errorMapping } from './error-codes.ts';

const ROWS_PER_PAGE_MAX = 300;

/** The recent path serves 1,440 of the newest bars; one is reserved for the time a request is in flight. */
const RECENT_BARS = 1_439;

/** One pool of 40 units in 2 s: 40 requests of the recent path, or 20 of the history or the instruments. */
const RECENT_WEIGHT = 1;
const HISTORY_WEIGHT = 2;

/** `1H` and `4H` in capitals; `1D` would open at 16:00 UTC. */
const BARS: Readonly<Record<Interval, string>> = {
  '1m': '1m',
  '5m': '5m',
  '15m': '15m',
  '1h': '1H',
  '4h': '4H',
  '1d': '1Dutc',
};

/** OKX spot, public market data. Source: OKX API guide v5. */
export const okx: ExchangeAdapter = {
  exchange: errorMapping.exchange,
  graceMs: errorMapping.graceMs,
  origins: ['https://www.okx.com'],
  unrestrictedOrigin: null,
  rowsPerPageMax: ROWS_PER_PAGE_MAX,
  limits: [{ name: 'public', limit: 40, windowMs: 2_000, shape: 'sliding', counts: 'weight' }],
  intervals: INTERVALS,
  emptyCandles: 'flat',

  // `after` means older, `before` newer, both exclusive. The history path is a minute late for the newest bars.
  candlesRequest: (origin, { series, range }, requestedAtMs) => {
    const isRecent = range.fromMs > requestedAtMs - RECENT_BARS * intervalMs(series.interval);
    const path = isRecent ? 'candles' : 'history-candles';
    const market = `instId=${symbolPath(series.symbol)}&bar=${BARS[series.interval]}`;
    const bounds = `after=${range.toMs}&before=${range.fromMs - 1}&limit=${ROWS_PER_PAGE_MAX}`;
    return {
      url: `${origin}/api/v5/market/${path}?${market}&${bounds}`,
      weight: isRecent ? RECENT_WEIGHT : HISTORY_WEIGHT,
    };
  },
  readCandles,
  rawCandles: dataOf,
  firstCandle: null,

  symbolsRequest: (origin) => ({ url: `${origin}/api/v5/public/instruments?instType=SPOT`, weight: HISTORY_WEIGHT }),
  readSymbols: readInstruments,
  ranking,

  translate: (error) => translateTransport(error, errorMapping.exchange),
  usedWeight: () => [],
};
