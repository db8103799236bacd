import { DAY_MS, type Interval } from '../../domain/interval.ts';
import { dayOf, daysBetween, type Day } from '../../domain/partition.ts';

/** A contiguous range of partitions, both ends included: the scope of one run. */
export interface DayRange {
  readonly start: Day;
  readonly end: Day;
}

/**
 * Cuts a range into runs of at most one calendar month, at 1d of at most one calendar year. Cuts fall on
 * the borders of silver files, so that each file is fetched and rebuilt by one run.
 */
export function chunksOf(range: DayRange, interval: Interval): DayRange[] {
  const chunks: { start: Day; end: Day }[] = [];
  const chars = interval === '1d' ? 4 : 7;
  for (const day of daysBetween(range.start, range.end)) {
    const last = chunks.at(-1);
    if (last && last.start.slice(0, chars) === day.slice(0, chars)) last.end = day;
    else chunks.push({ start: day, end: day });
  }
  return chunks;
}

/** Today and the `count` days before it. */
export const recentDays = (count: number, nowMs: number): DayRange => ({
  start: dayOf(nowMs - count * DAY_MS),
  end: dayOf(nowMs),
});
