import type { Cell } from '../../market/candle.ts';
import { dayRange } from '../../market/partition.ts';
import type { TimeRange } from '../../market/range.ts';
import { countCell, nextHealingAtMs, nextRecheckAtMs, type Account, type CellState, type FailedRange, type GapState } from '../../faults/ledger/account.ts';
import type { FaultCode } from '../../faults/taxonomy/table.ts';

/** What is known about a cell when it is accounted for. */
export interface CellFindings {
  readonly cell: Cell;
  /** Open time of the series' first candle ever; earlier grid points are not due. Null while unknown. */
  readonly firstCandleMs: number | null;
  readonly present: ReadonlySet<number>;
  readonly quarantined: ReadonlySet<number>;
  /** What venues answered about, whether or not a row came. */
  readonly covered: readonly TimeRange[];
  readonly failed: readonly FailedRange[];
  /** The cell as it stood before; null for the first time. */
  readonly before: CellState | null;
  /** True when this run sent a request for it. */
  readonly asked: boolean;
  readonly nowMs: number;
  readonly recheckAfterMs: number;
}

const holds = (range: TimeRange, timeMs: number): boolean => range.fromMs <= timeMs && timeMs < range.toMs;

/** Counts one cell and makes its next appointment. Pure. */
export function accountCell(findings: CellFindings): CellState {
  const { cell, before, nowMs } = findings;
  const day = dayRange(cell.day);
  const due = { fromMs: Math.min(Math.max(day.fromMs, findings.firstCandleMs ?? day.fromMs), day.toMs), toMs: day.toMs };
  const reasonOf = (openTimeMs: number): { state: GapState; code: FaultCode | null } => {
    if (findings.quarantined.has(openTimeMs)) return { state: 'quarantined', code: 'ROWS_INVALID' };
    const failed = findings.failed.find(({ range }) => holds(range, openTimeMs));
    if (failed) return { state: 'pending', code: failed.code };
    if (findings.covered.some((range) => holds(range, openTimeMs))) return { state: 'pending', code: 'ROWS_MISSING' };
    return { state: 'pending', code: before?.gaps.find((gap) => holds(gap, openTimeMs))?.code ?? null };
  };
  const { account, gaps } = countCell({ due, interval: cell.interval, present: findings.present, reasonOf });
  const isWhole = account.pending === 0 && account.quarantined === 0;
  const looks = isWhole ? 0 : (before?.looks ?? 0) + (findings.asked || before === null ? 1 : 0);
  const pendingSinceMs = isWhole ? null : (before?.pendingSinceMs ?? nowMs);
  const notBeforeMs = Math.max(0, ...findings.failed.map((failed) => failed.notBeforeMs ?? 0), before?.notBeforeMs ?? 0);
  const isParked = account.pending > 0 && notBeforeMs > nowMs;
  return {
    ...cell,
    account,
    gaps,
    looks,
    pendingSinceMs,
    notBeforeMs: isParked ? notBeforeMs : null,
    nextAttemptAtMs: isParked ? notBeforeMs : nextAttemptAt(findings, { account, looks, sinceMs: pendingSinceMs ?? nowMs, byFault: gaps.some(isByFault) }),
  };
}

const isByFault = (gap: CellState['gaps'][number]): boolean => gap.state === 'pending' && gap.code !== 'ROWS_MISSING';

function nextAttemptAt(findings: CellFindings, found: { account: Account; looks: number; sinceMs: number; byFault: boolean }): number | null {
  const { nowMs, recheckAfterMs, before, asked } = findings;
  const { account, looks, sinceMs } = found;
  if (account.pending === 0 && (account.quarantined === 0 || looks > 1)) return null;
  if (!asked && typeof before?.nextAttemptAtMs === 'number') return before.nextAttemptAtMs;
  return found.byFault ? nextHealingAtMs(sinceMs, nowMs) : nextRecheckAtMs(recheckAfterMs, { sinceMs, nowMs });
}
