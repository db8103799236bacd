import { intervalMs, type Interval } from '../../domain/interval.ts';
import { candlesIn, mergeRanges, type TimeRange } from '../../domain/range.ts';
import type { PageEntry } from '../../lake/bronze/page-index.ts';

/** How the holes of a venue's answers are read, and when they are looked at again. */
export interface OpenDayView {
  readonly interval: Interval;
  readonly emptyCandles: 'flat' | 'omitted';
  readonly recheckAfterMs: number;
  readonly nowMs: number;
}

/**
 * What used answers cover of a day that is not due. No account lists its holes yet, so the answers
 * themselves tell where to look again: once an answer with too few candles is as old as a hole is when it is
 * asked for again, it covers no more than the unbroken row it had. A venue that leaves out candles without
 * trades has holes all day long; those wait until the day is due and judged.
 */
export function coverOfOpenDay(
  pages: readonly Pick<PageEntry, 'range' | 'rows' | 'hull' | 'fetchedAtMs'>[],
  { interval, emptyCandles, recheckAfterMs, nowMs }: OpenDayView,
): TimeRange[] {
  return mergeRanges(
    pages.flatMap(({ range, rows, hull, fetchedAtMs }) => {
      if (emptyCandles === 'omitted' || nowMs < fetchedAtMs + recheckAfterMs) return [range];
      if (hull === null) return [];
      const had = {
        fromMs: Math.max(range.fromMs, hull.firstOpenMs),
        toMs: Math.min(range.toMs, hull.lastOpenMs + intervalMs(interval)),
      };
      return rows < candlesIn(had, interval) ? [] : [had];
    }),
  );
}
