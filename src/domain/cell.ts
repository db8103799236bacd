import { HEALING_EVERY_MS, HEALING_OFFSETS_MS } from '../errors/schedule.ts';
import type { Account } from './account.ts';
import type { Cell } from './candle.ts';
import type { Gap } from './gap.ts';
import type { TimeRange } from './range.ts';

/** A candle that its exchange closed before its time. */
export interface TruncatedCandle {
  readonly openTimeMs: number;
  /** Last millisecond that it covers, as the exchange states it. */
  readonly closeTimeMs: number;
}

/** Rows that are evidence about gaps and outages; kept with the cell, so that gap rules need no file. */
export interface NotableRows {
  /** Rows with one price and no volume. */
  readonly flat: readonly TimeRange[];
  readonly cut: readonly TruncatedCandle[];
}

/** Everything the state store knows about one cell. */
export interface CellState extends Cell, NotableRows {
  readonly account: Account;
  readonly gaps: readonly Gap[];
  /** Requests for this cell that left gaps, since it was last complete. */
  readonly attempts: number;
  /** Since when it has been incomplete; null when complete. Epoch milliseconds. */
  readonly pendingSinceMs: number | null;
  /** When its pending candles are requested again; null when nothing is pending. */
  readonly nextAttemptAtMs: number | null;
  /** Hint of the exchange: not requested before this time, not even by hand. */
  readonly notBeforeMs: number | null;
}

/** The next time to request candles that a fault kept away, later than `nowMs`. */
export const nextHealingAtMs = (sinceMs: number, nowMs: number): number =>
  nextOf(HEALING_OFFSETS_MS, { sinceMs, nowMs });

/**
 * The next time to request candles that a complete response did not have, later than `nowMs`: after `recheckAfterMs`,
 * then daily.
 */
export const nextRecheckAtMs = (
  recheckAfterMs: number,
  at: { readonly sinceMs: number; readonly nowMs: number },
): number => nextOf([recheckAfterMs], at);

function nextOf(
  offsetsMs: readonly number[],
  { sinceMs, nowMs }: { readonly sinceMs: number; readonly nowMs: number },
): number {
  const offsetMs =
    offsetsMs.find((one) => sinceMs + one > nowMs) ??
    (Math.floor((nowMs - sinceMs) / HEALING_EVERY_MS) + 1) * HEALING_EVERY_MS;
  return sinceMs + offsetMs;
}
