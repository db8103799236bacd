import { DAY_MS } from '../../market/interval.ts';
import type { TimeRange } from '../../market/range.ts';
import { knownOf, silentOf, type SeriesRecord } from './series-record.ts';

/** Share of candles with a trade from which a symbol is called liquid. */
export const LIQUID_SHARE_MIN = 0.99;
/** How far back that is counted, or as far as anything is known. */
const TRAILING_MS = 30 * DAY_MS;
/** With less history a symbol is not called liquid. Unit: candles. */
const HISTORY_CANDLES_MIN = 12;

/** One symbol's trading, ready to be counted over any stretch of time. */
export interface Market {
  readonly series: SeriesRecord;
  readonly known: readonly TimeRange[];
  readonly silent: readonly TimeRange[];
  readonly knownMs: (range: TimeRange) => number;
  readonly silentMs: (range: TimeRange) => number;
}

export function marketOf(series: SeriesRecord): Market {
  const [known, silent] = [knownOf(series), silentOf(series)];
  return { series, known, silent, knownMs: measureOf(known), silentMs: measureOf(silent) };
}

/**
 * Share of candles in which the symbol traded, over the thirty days before `timeMs`. When the whole
 * venue was `closed` does not count: an outage says nothing about a symbol. Null with too little history.
 */
export function tradedShare(market: Market, { timeMs, stepMs, closed }: { readonly timeMs: number; readonly stepMs: number; readonly closed: readonly TimeRange[] }): number | null {
  const trailing = { fromMs: timeMs - TRAILING_MS, toMs: timeMs };
  const excluded = closed.filter((range) => range.toMs > trailing.fromMs && range.fromMs < trailing.toMs)
    .map((range) => ({ fromMs: Math.max(range.fromMs, trailing.fromMs), toMs: Math.min(range.toMs, trailing.toMs) }));
  const counted = (measure: Market['knownMs']): number => measure(trailing) - excluded.reduce((sum, range) => sum + measure(range), 0);
  const knownMs = counted(market.knownMs);
  return knownMs < HISTORY_CANDLES_MIN * stepMs ? null : 1 - counted(market.silentMs) / knownMs;
}

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
