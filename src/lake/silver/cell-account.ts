import type { Cell } from '../../domain/candle.ts';
import { dayRange } from '../../domain/partition.ts';
import { intersectRanges, type TimeRange } from '../../domain/range.ts';
import { countCell, type Account } from '../../domain/account.ts';
import { nextHealingAtMs, nextRecheckAtMs, type CellState, type NotableRows } from '../../domain/cell.ts';
import { DROPPED, isOpenGap, type FailedRange, type Gap, type GapReason } from '../../domain/gap.ts';

/** The input of a cell's account. */
export interface CellFindings {
  readonly cell: Cell;
  /** Open time of the series' first candle ever; earlier grid points are not due. Null while unknown. */
  readonly firstCandleMs: number | null;
  readonly present: ReadonlySet<number>;
  readonly quarantined: ReadonlySet<number>;
  /** Quarantined candles that a person dropped. */
  readonly dropped: ReadonlySet<number>;
  /** Flat rows and truncated candles of the series, of this day and others. */
  readonly planned: NotableRows;
  /** Ranges covered by responses, with or without rows. */
  readonly covered: readonly TimeRange[];
  readonly failed: readonly FailedRange[];
  /** The cell as it stood before; null for the first time. */
  readonly before: CellState | null;
  /** True when this run sent a request for it. */
  readonly isRequested: boolean;
  readonly nowMs: number;
  readonly recheckAfterMs: number;
}

const holds = (range: TimeRange, timeMs: number): boolean => range.fromMs <= timeMs && timeMs < range.toMs;

/**
 * Counts one cell and schedules its next attempt. An earlier verdict stays while its candles are still missing, or
 * still flat. Pure.
 */
export function accountCell(findings: CellFindings): CellState {
  const { cell, before, nowMs } = findings;
  const day = dayRange(cell.day);
  const due = {
    fromMs: Math.min(Math.max(day.fromMs, findings.firstCandleMs ?? day.fromMs), day.toMs),
    toMs: day.toMs,
  };
  const flat = intersectRanges(findings.planned.flat, [day]);
  const gapBefore = (openTimeMs: number): Gap | undefined => before?.gaps.find((gap) => holds(gap, openTimeMs));
  const isHalted = (openTimeMs: number): boolean =>
    gapBefore(openTimeMs)?.state === 'outage' && flat.some((range) => holds(range, openTimeMs));
  const present = { has: (openTimeMs: number) => findings.present.has(openTimeMs) && !isHalted(openTimeMs) };
  const reasonOf = (openTimeMs: number): GapReason => {
    const known = gapBefore(openTimeMs);
    if (known !== undefined && findings.present.has(openTimeMs)) return known;
    if (findings.quarantined.has(openTimeMs))
      return { state: 'quarantined', code: 'ROWS_INVALID', cause: findings.dropped.has(openTimeMs) ? DROPPED : null };
    const failed = findings.failed.find(({ range }) => holds(range, openTimeMs));
    if (failed) return { state: 'pending', code: failed.code, cause: null };
    if (findings.covered.some((range) => holds(range, openTimeMs)))
      return known?.code === 'ROWS_MISSING' ? known : { state: 'pending', code: 'ROWS_MISSING', cause: null };
    return { state: 'pending', code: known?.code ?? null, cause: null };
  };
  const { account, gaps } = countCell({ due, interval: cell.interval, present, reasonOf });
  const isWhole = !gaps.some(isOpenGap);
  const attempts = isWhole ? 0 : (before?.attempts ?? 0) + (findings.isRequested || before === null ? 1 : 0);
  const pendingSinceMs = isWhole ? null : (before?.pendingSinceMs ?? nowMs);
  const notBeforeMs = Math.max(
    0,
    ...findings.failed.map((failed) => failed.notBeforeMs ?? 0),
    before?.notBeforeMs ?? 0,
  );
  const isParked = account.pending > 0 && notBeforeMs > nowMs;
  return {
    ...cell,
    account,
    gaps,
    flat,
    cut: findings.planned.cut.filter(({ openTimeMs }) => holds(day, openTimeMs)),
    attempts,
    pendingSinceMs,
    notBeforeMs: isParked ? notBeforeMs : null,
    nextAttemptAtMs: isParked
      ? notBeforeMs
      : nextAttemptAt(findings, {
          account,
          attempts,
          sinceMs: pendingSinceMs ?? nowMs,
          byFault: gaps.some(isByFault),
          isWhole,
        }),
  };
}

const isByFault = (gap: CellState['gaps'][number]): boolean => gap.state === 'pending' && gap.code !== 'ROWS_MISSING';

function nextAttemptAt(
  findings: CellFindings,
  found: { account: Account; attempts: number; sinceMs: number; byFault: boolean; isWhole: boolean },
): number | null {
  const { nowMs, recheckAfterMs, before, isRequested } = findings;
  const { account, attempts, sinceMs } = found;
  if (found.isWhole || (account.pending === 0 && attempts > 1)) return null;
  if (!isRequested && typeof before?.nextAttemptAtMs === 'number') return before.nextAttemptAtMs;
  return found.byFault ? nextHealingAtMs(sinceMs, nowMs) : nextRecheckAtMs(recheckAfterMs, { sinceMs, nowMs });
}
