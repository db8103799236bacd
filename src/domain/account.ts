import type { Cell } from './candle.ts';
import { intervalMs, type Interval } from './interval.ts';
import { candlesIn, type TimeRange } from './range.ts';
import { HEALING_EVERY_MS, HEALING_OFFSETS_MS } from '../errors/schedule.ts';
import type { FaultCode } from '../errors/table.ts';

/** Why candles are not there. There is no sixth state of a candle beside these and `present`. */
export const GAP_STATES = ['no_trades', 'outage', 'quarantined', 'pending'] as const;
export type GapState = (typeof GAP_STATES)[number];

/** Numbers of candles; `expected = present + no_trades + outage + quarantined + pending`, always. */
export interface Account extends Readonly<Record<GapState, number>> {
  readonly expected: number;
  readonly present: number;
}

/**
 * Neighbouring candles that do not count as present, for the same reason. Flat rows that a venue sent
 * while it stood still are in silver and in an `outage` gap.
 */
export interface Gap extends TimeRange {
  readonly state: GapState;
  /** The fault that kept them away; null for a candle nobody asked for yet, and for flat rows. */
  readonly code: FaultCode | null;
  /** Which rule judged it, in the words of `data/quality`; null while none did. */
  readonly cause: string | null;
}

/** Gaps with a reason that may still end, or all of them. */
export type WantedGaps = 'open' | 'all';

/** True for what `check-gaps` lists without being asked to explain: pending and quarantined gaps. */
export const isWaitedFor = ({ state }: Pick<Gap, 'state'>): boolean => state === 'pending' || state === 'quarantined';

/** Cause of a quarantined gap that somebody ended the wait for. */
export const DROPPED = 'dropped';

/** True while somebody waits for a gap's candles: they are pending, or in quarantine and not dropped. */
export const isOpenGap = ({ state, cause }: Pick<Gap, 'state' | 'cause'>): boolean =>
  state === 'pending' || (state === 'quarantined' && cause !== DROPPED);

/** What a gap says of each of its candles. */
export type GapReason = Pick<Gap, 'state' | 'code' | 'cause'>;

/** A candle that its venue closed before its time. */
export interface TruncatedCandle {
  readonly openTimeMs: number;
  /** Last millisecond that it covers, in the venue's words. */
  readonly closeTimeMs: number;
}

/** Rows that say something about holes and outages; kept with the cell, so that judging needs no file. */
export interface NotableRows {
  /** Rows with one price and no volume. */
  readonly flat: readonly TimeRange[];
  readonly cut: readonly TruncatedCandle[];
}

/** Everything the ledger knows of one cell. */
export interface CellState extends Cell, NotableRows {
  readonly account: Account;
  readonly gaps: readonly Gap[];
  /** How often this cell was asked and came out with gaps, since it was last complete. */
  readonly attempts: number;
  /** Since when it has not been complete; null when it is. Epoch milliseconds. */
  readonly pendingSinceMs: number | null;
  /** When its pending candles are asked again; null when nothing is pending. */
  readonly nextAttemptAtMs: number | null;
  /** The venue's own word: nobody asks before, not even by hand. */
  readonly notBeforeMs: number | null;
}

/** A stretch of a series that a run could not get, and why. */
export interface FailedRange {
  readonly range: TimeRange;
  readonly code: FaultCode;
  /** The venue's word, or what a deadline left over: not before this time. Null for everything that is ours to schedule. */
  readonly notBeforeMs: number | null;
}

export const EMPTY_ACCOUNT: Account = { expected: 0, present: 0, no_trades: 0, outage: 0, quarantined: 0, pending: 0 };

export const addAccounts = (a: Account, b: Account): Account => ({
  expected: a.expected + b.expected,
  present: a.present + b.present,
  no_trades: a.no_trades + b.no_trades,
  outage: a.outage + b.outage,
  quarantined: a.quarantined + b.quarantined,
  pending: a.pending + b.pending,
});

export const balances = (account: Account): boolean =>
  account.expected === account.present + account.no_trades + account.outage + account.quarantined + account.pending;

/** What was found for one cell: its due range, the candles it has, and the reason of each that is missing. */
export interface CellEvidence {
  readonly due: TimeRange;
  readonly interval: Interval;
  /** Open times of stored candles inside `due`. */
  readonly present: { has(openTimeMs: number): boolean };
  /** Why this open time is not there; asked for missing ones only. */
  readonly reasonOf: (openTimeMs: number) => GapReason;
}

/** Counts each kind of candle on its own evidence, walking the grid; nothing is found by subtraction. */
export function countCell(evidence: CellEvidence): { readonly account: Account; readonly gaps: readonly Gap[] } {
  const stepMs = intervalMs(evidence.interval);
  const counts: { -readonly [K in keyof Account]: number } = {
    ...EMPTY_ACCOUNT,
    expected: candlesIn(evidence.due, evidence.interval),
  };
  const gaps: (GapReason & { fromMs: number; toMs: number })[] = [];
  for (
    let openTimeMs = Math.ceil(evidence.due.fromMs / stepMs) * stepMs;
    openTimeMs < evidence.due.toMs;
    openTimeMs += stepMs
  ) {
    if (evidence.present.has(openTimeMs)) {
      counts.present += 1;
      continue;
    }
    const { state, code, cause } = evidence.reasonOf(openTimeMs);
    counts[state] += 1;
    const last = gaps.at(-1);
    if (last && last.toMs === openTimeMs && last.state === state && last.code === code && last.cause === cause)
      last.toMs += stepMs;
    else gaps.push({ fromMs: openTimeMs, toMs: openTimeMs + stepMs, state, code, cause });
  }
  return { account: counts, gaps };
}

/** The next time to ask for candles that a fault kept away, later than `nowMs`. */
export const nextHealingAtMs = (sinceMs: number, nowMs: number): number =>
  nextOf(HEALING_OFFSETS_MS, { sinceMs, nowMs });

/** The next time to ask for candles that a complete answer did not have, later than `nowMs`: after `recheckAfterMs`, then daily. */
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
