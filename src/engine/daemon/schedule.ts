import type { Exchange } from '../../domain/exchange.ts';
import { DAY_MS, intervalMs, type Interval } from '../../domain/interval.ts';
import { dayOf } from '../../domain/partition.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import type { DayRange } from '../core/chunks.ts';
import { marketsAt, venueOf, type Venues } from '../core/exchanges.ts';

/** Series that are asked for together: one candle length, and venues whose candles settle equally late. */
export interface ScheduledSeries {
  /** Names its loop: `schedule 1h +5s`. */
  readonly name: string;
  readonly interval: Interval;
  readonly graceMs: number;
  readonly markets: ReadonlyMap<Exchange, readonly MarketSymbol[]>;
}

/** One loop for each candle length and grace, shortest first: a slow venue does not make a quick one wait. */
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

/** Many who keep the same clock do not ask in the same second: at most this late, and at most a tenth of the candle. Unit: milliseconds. */
const JITTER_MS_MAX = 20_000;
export const jitterMs = (interval: Interval, chance: number): number =>
  Math.floor(chance * Math.min(JITTER_MS_MAX, intervalMs(interval) / 10));

export interface ScheduleView {
  readonly nowMs: number;
  /** The newest close that was dealt with; null for a loop that never turned. */
  readonly cursorMs: number | null;
  readonly jitterMs: number;
}

/** The newest candle close that may be asked for now and was not yet; null while there is none. */
export function closeDue(
  { interval, graceMs }: Pick<ScheduledSeries, 'interval' | 'graceMs'>,
  view: ScheduleView,
): number | null {
  const stepMs = intervalMs(interval);
  const closeMs = Math.floor((view.nowMs - graceMs - view.jitterMs) / stepMs) * stepMs;
  return view.cursorMs === null || closeMs > view.cursorMs ? closeMs : null;
}

/** When the close after `closeMs` may be asked for. */
export const nextCloseAtMs = (
  { interval, graceMs }: Pick<ScheduledSeries, 'interval' | 'graceMs'>,
  at: { readonly closeMs: number; readonly jitterMs: number },
): number => at.closeMs + intervalMs(interval) + graceMs + at.jitterMs;

/** Days before today that a turn looks at in any case. */
const DAYS_BACK = 2;
/** After a long absence one turn catches up with so many days at most; what is older is history and a backfill's work. */
const CATCH_UP_DAYS_MAX = 31;

/** The days of one turn: the last two and today, and every day since the last turn. However many closes were missed, it is one turn. */
export function daysOfTick({ nowMs, cursorMs }: Pick<ScheduleView, 'nowMs' | 'cursorMs'>): DayRange {
  const sinceMs = Math.min(cursorMs ?? nowMs, nowMs - DAYS_BACK * DAY_MS);
  return { start: dayOf(Math.max(sinceMs, nowMs - CATCH_UP_DAYS_MAX * DAY_MS)), end: dayOf(nowMs) };
}
