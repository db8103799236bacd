import type { TimeRange } from '../src/domain/range.ts';
import { DAY_MS } from '../src/domain/interval.ts';
import type { CandleSource } from '../src/simulation/world.ts';
import { generatedCandles } from '../src/simulation/generated-world.ts';
import type { WeightLimit } from '../src/simulation/stand-ins/weight-meter.ts';

export const MINUTE_MS = 60_000;
export const ROWS_PER_PAGE = 1_000;
export const KLINES_WEIGHT = 2;
/** How long a client waits for one response, headers and body; the default of every contestant. Unit: milliseconds. */
export const ATTEMPT_TIMEOUT_MS = 10_000;

/** No faults, the faults of B2, the malformed responses of B3. */
export type FaultSchedule = 'none' | 'faults' | 'malformed';

/** The same for every contestant: all minutes of some symbols, from one stand-in exchange. */
export interface Workload {
  readonly seed: string;
  /** `BTC/USDT`. */
  readonly symbols: readonly string[];
  readonly range: TimeRange;
  /** As the exchange announces it. */
  readonly limit: WeightLimit;
  readonly schedule: FaultSchedule;
  /** Added to every response. Unit: milliseconds. */
  readonly rttMs: number;
}

/** What a contestant receives. */
export interface Task {
  readonly url: string;
  readonly symbols: readonly string[];
  readonly range: TimeRange;
  /** Where it stores its result. */
  readonly directory: string;
}

const BASES = [
  'BTC',
  'ETH',
  'SOL',
  'XRP',
  'ADA',
  'DOGE',
  'LTC',
  'LINK',
  'DOT',
  'AVAX',
  'TRX',
  'ATOM',
  'UNI',
  'ETC',
  'XLM',
  'BCH',
  'FIL',
  'NEAR',
  'ALGO',
  'VET',
];
export const SYMBOLS_MAX = BASES.length;
const FIRST_DAY_MS = Date.UTC(2023, 0, 1);
export const DAYS_MAX = 365;

export const symbolsOf = (count: number): string[] => BASES.slice(0, count).map((base) => `${base}/USDT`);
export const rangeOf = (days: number): TimeRange => ({ fromMs: FIRST_DAY_MS, toMs: FIRST_DAY_MS + days * DAY_MS });
/** Binance's spelling. */
export const venueSymbolOf = (symbol: string): string => symbol.replace('/', '');

/** The candles that the exchange serves and that results are compared with. */
export const candlesOf = ({ seed, symbols, range }: Pick<Workload, 'seed' | 'symbols' | 'range'>): CandleSource =>
  generatedCandles(
    seed,
    symbols.map((symbol) => ({ symbol, venueSymbol: venueSymbolOf(symbol), interval: '1m', range })),
  );

/** The least number of requests that bring every candle. */
export const pagesOf = ({ symbols, range }: Pick<Workload, 'symbols' | 'range'>): number =>
  symbols.length * Math.ceil((range.toMs - range.fromMs) / MINUTE_MS / ROWS_PER_PAGE);
