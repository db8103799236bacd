import type { Interval } from '../domain/interval.ts';
import type { MarketSymbol } from '../domain/symbol.ts';

/**
 * A kline in Binance's form, decimals as recorded text. Stand-ins of other venues serve the part that their venue has.
 */
export type RecordedCandle = readonly [
  openTimeMs: number,
  open: string,
  high: string,
  low: string,
  close: string,
  volume: string,
  closeTimeMs: number,
  quoteVolume: string,
  trades: number,
  takerBase: string,
  takerQuote: string,
  ignore: string,
];

export interface ServedSeries {
  readonly symbol: MarketSymbol;
  /** The venue's spelling, e.g. `BTCUSDT`. */
  readonly venueSymbol: string;
  readonly interval: Interval;
}

/**
 * The columns that were recorded: time, prices and volume; also the quote volume; or all. Others must not be compared.
 */
export const KNOWN_COLUMNS = ['first-six', 'quote-volume', 'all'] as const;

export type KnownColumns = (typeof KNOWN_COLUMNS)[number];

export interface RecordedSeries extends ServedSeries {
  /** Oldest first, without duplicates. */
  readonly rows: readonly RecordedCandle[];
  readonly columns: KnownColumns;
}

export const fewerColumns = (a: KnownColumns, b: KnownColumns): KnownColumns =>
  KNOWN_COLUMNS.indexOf(a) < KNOWN_COLUMNS.indexOf(b) ? a : b;
