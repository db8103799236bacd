import { DAY_MS } from '../../../domain/interval.ts';
import { subtractRanges, type TimeRange } from '../../../domain/range.ts';
import { knownOf, quietRangesOf, type SeriesRecord } from './series-record.ts';

/** Share of candles with a trade from which a symbol is called liquid. */
const LIQUID_SHARE_MIN = 0.99;
/** How far back that is counted, or as far as anything is known. */
const TRAILING_MS = 30 * DAY_MS;
/** With less history a symbol is not called liquid. Unit: candles. */
const HISTORY_CANDLES_MIN = 12;

/** One symbol's trading. */
export interface TradingHistory {
  readonly series: SeriesRecord;
  readonly known: readonly TimeRange[];
  readonly silent: readonly TimeRange[];
  /** How much of a stretch is known, and silent, known incidents left out. Unit: milliseconds. */
  readonly knownMs: (range: TimeRange) => number;
  readonly silentMs: (range: TimeRange) => number;
}

/** `incidents`: when this market is known not to have traded. */
export function marketOf(series: SeriesRecord, incidents: readonly TimeRange[]): TradingHistory {
  const [known, silent] = [knownOf(series), quietRangesOf(series)];
  return {
    series,
    known,
    silent,
    knownMs: measureOf(subtractRanges(known, incidents)),
    silentMs: measureOf(subtractRanges(silent, incidents)),
  };
}

/** A symbol's thirty days before some time, or as much of them as is known. */
export interface Trading {
  readonly candles: number;
  readonly silentCandles: number;
}

/** When the whole venue was `closed`, oldest first, does not count: an outage says nothing about a symbol. */
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
  return { candles: counted(market.knownMs), silentCandles: counted(market.silentMs) };
}

/** Share of candles with a trade; null with too little history. */
export const tradedShare = ({ candles, silentCandles }: Trading): number | null =>
  candles < HISTORY_CANDLES_MIN ? null : 1 - silentCandles / candles;

export const isLiquid = (trading: Trading): boolean => (tradedShare(trading) ?? 0) >= LIQUID_SHARE_MIN;

/** How often a pause goes on for another candle. Of 568 pauses of Binance.US's BTC/USDT in March 2023 73 did, then 14, then 3. */
const CONTINUES_SHARE = 0.2;
/** Pauses of that length expected in thirty days; with fewer, it is none. */
const EXPECTED_PAUSES_MIN = 0.05;

/** True when a liquid market may be expected to pause for so many candles, judged by how often it paused at all. One pause is always granted. */
export const isPause = (candles: number, { silentCandles }: Trading): boolean =>
  (silentCandles + 1) * CONTINUES_SHARE ** (candles - 1) >= EXPECTED_PAUSES_MIN;

/** How much of a stretch lies in `ranges` (sorted, disjoint), in logarithmic time. Unit: milliseconds. */
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
