import type { Exchange } from '../../domain/exchange.ts';
import { DAY_MS, intervalMs, type Interval } from '../../domain/interval.ts';
import { dayOf } from '../../domain/partition.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import type { DayRange } from '../core/chunks.ts';
import { marketsAt, venueOf, type Venues } from '../core/exchanges.ts';

/** Series fetched together: one interval, and exchanges with the same grace. */
export interface ScheduledSeries {
  /** Names its loop: `schedule 1h +5s`. */
  readonly name: string;
  readonly interval: Interval;
  readonly graceMs: number;
  readonly markets: ReadonlyMap<Exchange, readonly MarketSymbol[]>;
}

/** One loop for each interval and grace, shortest first: a slow venue does not delay a fast one. */
export function schedulesOf(
  venues: Venues,
  markets: ScheduledSeries['markets'],
  intervals: readonly Interval[],
): ScheduledSeries[] {
  return intervals
    .toSorted((a, b) => intervalMs(a) - intervalMs(b))
    .flatMap((interval) => {
      const byGrace = Map.groupBy(
        marketsAt(venues, markets, interval),
        ([exchange]) => venueOf(venues, exchange).adapter.graceMs,
      );
      return [...byGrace]
        .toSorted(([a], [b]) => a - b)
        .map(([graceMs, own]) => ({
          name: `schedule ${interval} +${graceMs / 1_000}s`,
          interval,
          graceMs,
          markets: new Map(own),
        }));
    });
}

/**
 * Offset from a candle's close that differs by installation, so that not all of them send requests at the same
 * moment. At most a tenth of the interval.
 * Unit: milliseconds.
 */
const JITTER_MS_MAX = 20_000;
export const jitterMs = (interval: Interval, chance: number): number =>
  Math.floor(chance * Math.min(JITTER_MS_MAX, intervalMs(interval) / 10));

export interface ScheduleView {
  readonly nowMs: number;
  /** The newest close that was fetched, in epoch milliseconds; null before the first tick. */
  readonly cursorMs: number | null;
  readonly jitterMs: number;
}

/** The newest candle close that is due and not fetched yet, in epoch milliseconds; null without one. */
export function closeDue(
  { interval, graceMs }: Pick<ScheduledSeries, 'interval' | 'graceMs'>,
  view: ScheduleView,
): number | null {
  const stepMs = intervalMs(interval);
  const closeMs = Math.floor((view.nowMs - graceMs - view.jitterMs) / stepMs) * stepMs;
  return view.cursorMs === null || closeMs > view.cursorMs ? closeMs : null;
}

/** When the close after `closeMs` is due, in epoch milliseconds. */
export const nextCloseAtMs = (
  { interval, graceMs }: Pick<ScheduledSeries, 'interval' | 'graceMs'>,
  at: { readonly closeMs: number; readonly jitterMs: number },
): number => at.closeMs + intervalMs(interval) + graceMs + at.jitterMs;

/** Days before today that every tick covers. */
const DAYS_BACK = 2;
/** A tick after a long absence covers at most this many days; a backfill fetches older ones. */
const CATCH_UP_DAYS_MAX = 31;

/** The days of one tick: today, the two days before it, and every day since the last tick. */
export function daysOfTick({ nowMs, cursorMs }: Pick<ScheduleView, 'nowMs' | 'cursorMs'>): DayRange {
  const sinceMs = Math.min(cursorMs ?? nowMs, nowMs - DAYS_BACK * DAY_MS);
  return { start: dayOf(Math.max(sinceMs, nowMs - CATCH_UP_DAYS_MAX * DAY_MS)), end: dayOf(nowMs) };
}
