import type { Exchange } from './exchange.ts';
import type { Interval } from './interval.ts';
import type { Day } from './partition.ts';
import type { MarketSymbol } from './symbol.ts';

/** One OHLCV candle as delivered: each value the nearest double of the recorded decimal. */
export interface Candle {
  /** Candle open, UTC, epoch milliseconds. */
  readonly openTimeMs: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** In units of the base asset. */
  readonly volume: number;
  /** In units of the quote asset; null where the exchange does not state it. */
  readonly quoteVolume: number | null;
  readonly trades: number | null;
  /** Last millisecond that the exchange states; null without one. Earlier than the grid's end: a truncated candle. */
  readonly closeTimeMs: number | null;
}

/** One series: candles of one market at one exchange and interval. */
export interface Series {
  readonly exchange: Exchange;
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
}

/** The smallest thing that succeeds, fails and heals. */
export interface Cell extends Series {
  readonly day: Day;
}
