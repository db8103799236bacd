import { intervalMs, type Interval } from '../../src/domain/interval.ts';
import type { TimeRange } from '../../src/domain/range.ts';

/** Runs of neighbouring open times as ranges. `openTimesMs` ascending and on the grid. */
export function rangesOf(openTimesMs: Iterable<number>, interval: Interval): TimeRange[] {
  const stepMs = intervalMs(interval);
  const ranges: { fromMs: number; toMs: number }[] = [];
  for (const openTimeMs of openTimesMs) {
    const last = ranges.at(-1);
    if (last && last.toMs === openTimeMs) last.toMs += stepMs;
    else ranges.push({ fromMs: openTimeMs, toMs: openTimeMs + stepMs });
  }
  return ranges;
}
