import type { Interval } from '../domain/interval.ts';
import type { MarketSymbol } from '../domain/symbol.ts';

/** A kline as Binance sends it: decimals as text, exactly as recorded. Stand-ins of other venues serve what of it they tell. */
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

/** What is known of each row: time, prices and volume alone, the quote volume too, or the trades as well. The rest is made up and must not be compared. */
export const KNOWN_COLUMNS = ['first-six', 'quote-volume', 'all'] as const;

export type KnownColumns = (typeof KNOWN_COLUMNS)[number];

export interface RecordedSeries extends ServedSeries {
  /** Oldest first, without duplicates. */
  readonly rows: readonly RecordedCandle[];
  readonly columns: KnownColumns;
}

export const fewerColumns = (a: KnownColumns, b: KnownColumns): KnownColumns =>
  KNOWN_COLUMNS.indexOf(a) < KNOWN_COLUMNS.indexOf(b) ? a : b;
