import { intervalMs, type Interval } from '../../domain/interval.ts';
import { candlesIn, mergeRanges, type TimeRange } from '../../domain/range.ts';
import type { PageEntry } from '../../lake/bronze/page-index.ts';

/** How holes in a venue's responses are read, and when they are requested again. */
export interface OpenDayView {
  readonly interval: Interval;
  readonly emptyCandles: 'flat' | 'omitted';
  readonly recheckAfterMs: number;
  readonly nowMs: number;
}

/**
 * The ranges that used responses cover of a day that is not due. No account lists the holes of such a day, so
 * the responses decide: once a response with too few candles is older than the recheck wait, it covers its
 * unbroken candles only. Venues that omit candles without trades have holes all day; those wait until the day is
 * due and classified.
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
