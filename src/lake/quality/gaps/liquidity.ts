import { DAY_MS } from '../../../domain/interval.ts';
import { subtractRanges, type TimeRange } from '../../../domain/range.ts';
import { knownOf, quietRangesOf, type SeriesRecord } from './series-record.ts';

/** A symbol is liquid if at least this share of its candles had a trade. */
const LIQUID_SHARE_MIN = 0.99;
/** Window of the share; shorter where the record is. Unit: milliseconds. */
const TRAILING_MS = 30 * DAY_MS;
/** With less history a symbol is not liquid. Unit: candles. */
const HISTORY_CANDLES_MIN = 12;

/** One symbol's trading. */
export interface TradingHistory {
  readonly series: SeriesRecord;
  readonly known: readonly TimeRange[];
  readonly quiet: readonly TimeRange[];
  /** How much of a range is known, and quiet, without known incidents. Unit: milliseconds. */
  readonly knownMs: (range: TimeRange) => number;
  readonly quietMs: (range: TimeRange) => number;
}

/** `incidents`: times in which this market is known not to have traded. */
export function marketOf(series: SeriesRecord, incidents: readonly TimeRange[]): TradingHistory {
  const [known, quiet] = [knownOf(series), quietRangesOf(series)];
  return {
    series,
    known,
    quiet,
    knownMs: measureOf(subtractRanges(known, incidents)),
    quietMs: measureOf(subtractRanges(quiet, incidents)),
  };
}

/** Candles of a symbol in the thirty days before some time, as far as they are known. */
export interface Trading {
  readonly candles: number;
  readonly quietCandles: number;
}

/** Times in `closed` (oldest first) do not count: an outage of the venue says nothing about one symbol. */
export function tradingBefore(
  timeMs: number,
  market: TradingHistory,
  { stepMs, closed }: { readonly stepMs: number; readonly closed: readonly TimeRange[] },
): Trading {
  const trailing = { fromMs: timeMs - TRAILING_MS, toMs: timeMs };
  const excluded = closed
    .filter((range) => range.toMs > trailing.fromMs && range.fromMs < trailing.toMs)
    .map((range) => ({ fromMs: Math.max(range.fromMs, trailing.fromMs), toMs: Math.min(range.toMs, trailing.toMs) }));
  const counted = (measure: TradingHistory['knownMs']): number =>
    (measure(trailing) - excluded.reduce((sum, range) => sum + measure(range), 0)) / stepMs;
  return { candles: counted(market.knownMs), quietCandles: counted(market.quietMs) };
}

/** Share of candles with a trade; null with too little history. */
export const tradedShare = ({ candles, quietCandles }: Trading): number | null =>
  candles < HISTORY_CANDLES_MIN ? null : 1 - quietCandles / candles;

export const isLiquid = (trading: Trading): boolean => (tradedShare(trading) ?? 0) >= LIQUID_SHARE_MIN;

/**
 * Probability that a pause lasts another candle. Of 568 pauses of BTC/USDT on Binance.US in March 2023, 73 lasted a
 * second candle, 14 a third and 3 a fourth.
 */
const CONTINUES_SHARE = 0.2;
/** A hole is a pause only if at least this many pauses of its length are expected in thirty days. */
const EXPECTED_PAUSES_MIN = 0.05;

/** True when a liquid market may pause this long by chance, given how often it paused. One pause is always allowed. */
export const isPause = (candles: number, { quietCandles }: Trading): boolean =>
  (quietCandles + 1) * CONTINUES_SHARE ** (candles - 1) >= EXPECTED_PAUSES_MIN;

/** How much of a range lies in `ranges` (sorted, disjoint), found by binary search. Unit: milliseconds. */
function measureOf(ranges: readonly TimeRange[]): (range: TimeRange) => number {
  const totals = [0];
  for (const { fromMs, toMs } of ranges) totals.push((totals.at(-1) as number) + toMs - fromMs);
  const before = (timeMs: number): number => {
    let [low, high] = [0, ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ranges[middle] as TimeRange).fromMs < timeMs) low = middle + 1;
      else high = middle;
    }
    const last = ranges[low - 1];
    return (totals[low] as number) - (last === undefined ? 0 : Math.max(0, last.toMs - timeMs));
  };
  return ({ fromMs, toMs }) => before(toMs) - before(fromMs);
}
