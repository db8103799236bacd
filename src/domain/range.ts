import { intervalMs, type Interval } from './interval.ts';

/** A span of time, end exclusive, in epoch milliseconds. Candle ranges are aligned to their interval's grid. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Open times of the candles in `range`. */
export function gridOf(range: TimeRange, interval: Interval): number[] {
  const stepMs = intervalMs(interval);
  const grid: number[] = [];
  for (let openTimeMs = Math.ceil(range.fromMs / stepMs) * stepMs; openTimeMs < range.toMs; openTimeMs += stepMs)
    grid.push(openTimeMs);
  return grid;
}

/** How many candles `range` holds. */
export const candlesIn = (range: TimeRange, interval: Interval): number => {
  const stepMs = intervalMs(interval);
  return Math.max(0, Math.ceil(range.toMs / stepMs) - Math.ceil(range.fromMs / stepMs));
};

/** Sorted and without overlaps; touching ranges joined, empty ones removed. */
export function mergeRanges(ranges: readonly TimeRange[]): TimeRange[] {
  const merged: TimeRange[] = [];
  for (const range of ranges.filter((r) => r.toMs > r.fromMs).toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    if (last && range.fromMs <= last.toMs)
      merged[merged.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, range.toMs) };
    else merged.push({ fromMs: range.fromMs, toMs: range.toMs });
  }
  return merged;
}

/** The parts of `whole` that none of `parts` covers. */
export function subtractRanges(whole: readonly TimeRange[], parts: readonly TimeRange[]): TimeRange[] {
  const taken = mergeRanges(parts);
  const left: TimeRange[] = [];
  let at = 0;
  for (const { fromMs, toMs } of mergeRanges(whole)) {
    while ((taken[at]?.toMs ?? Infinity) <= fromMs) at += 1;
    let startMs = fromMs;
    for (let next = at; (taken[next]?.fromMs ?? Infinity) < toMs; next++) {
      const part = taken[next] as TimeRange;
      if (part.fromMs > startMs) left.push({ fromMs: startMs, toMs: part.fromMs });
      startMs = part.toMs;
    }
    if (startMs < toMs) left.push({ fromMs: startMs, toMs });
  }
  return left;
}

/** The overlap of `a` and `b`. */
export const intersectRanges = (a: readonly TimeRange[], b: readonly TimeRange[]): TimeRange[] =>
  subtractRanges(a, subtractRanges(a, b));

/** The smallest range that holds all these open times; null for none. `openTimesMs` ascending. */
export function hullOf(openTimesMs: readonly number[], interval: Interval): TimeRange | null {
  const [first, last] = [openTimesMs[0], openTimesMs.at(-1)];
  return first === undefined || last === undefined ? null : { fromMs: first, toMs: last + intervalMs(interval) };
}

/** The smallest range that holds all of `ranges` (sorted, disjoint); null for none. */
export const hullOfRanges = (ranges: readonly TimeRange[]): TimeRange | null => {
  const [first, last] = [ranges[0], ranges.at(-1)];
  return first === undefined || last === undefined ? null : { fromMs: first.fromMs, toMs: last.toMs };
};
