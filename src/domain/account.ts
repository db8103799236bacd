import type { Gap, GapReason, GapState } from './gap.ts';
import { intervalMs, type Interval } from './interval.ts';
import { candlesIn, type TimeRange } from './range.ts';

/** Counts of candles; `expected = present + no_trades + outage + quarantined + pending`, always. */
export interface Account extends Readonly<Record<GapState, number>> {
  readonly expected: number;
  readonly present: number;
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

/** Evidence for one cell: its due range, the candles it has, and why each other one is missing. */
export interface CellEvidence {
  readonly due: TimeRange;
  readonly interval: Interval;
  /** Open times of stored candles inside `due`. */
  readonly present: { has(openTimeMs: number): boolean };
  /** Why the candle of this open time is missing; called for missing ones only. */
  readonly reasonOf: (openTimeMs: number) => GapReason;
}

/** Walks the grid and counts each kind of candle on its own evidence; no number is the rest of a subtraction. */
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
