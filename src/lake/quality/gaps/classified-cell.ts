import { intervalMs } from '../../../domain/interval.ts';
import { dayRange } from '../../../domain/partition.ts';
import type { TimeRange } from '../../../domain/range.ts';
import { countCell } from '../../../domain/account.ts';
import type { CellState } from '../../../domain/cell.ts';
import type { GapReason } from '../../../domain/gap.ts';
import type { GapVerdict } from './gap-verdicts.ts';

const holds = (range: TimeRange, timeMs: number): boolean => range.fromMs <= timeMs && timeMs < range.toMs;

/**
 * A cell with the new verdicts on its holes and flat rows; gaps without a new verdict stay as they are. Flat rows
 * that no longer count as an outage are present again. A cell without an open gap has no next attempt.
 */
export function classifiedCell(cell: CellState, verdicts: readonly GapVerdict[]): CellState {
  const day = dayRange(cell.day);
  const due = { fromMs: day.toMs - cell.account.expected * intervalMs(cell.interval), toMs: day.toMs };
  const own = verdicts.filter(
    ({ fromMs, toMs, state }) => state !== 'not_due' && fromMs < day.toMs && toMs > day.fromMs,
  );
  const reasonAt = (openTimeMs: number): GapReason | null => {
    const verdict = own.find((one) => holds(one, openTimeMs));
    if (verdict !== undefined) return reasonOf(verdict);
    const gap = cell.gaps.find((one) => holds(one, openTimeMs));
    return gap === undefined || cell.flat.some((range) => holds(range, openTimeMs)) ? null : gap;
  };
  const { account, gaps } = countCell({
    due,
    interval: cell.interval,
    present: { has: (openTimeMs) => reasonAt(openTimeMs) === null },
    reasonOf: (openTimeMs) => reasonAt(openTimeMs) as GapReason,
  });
  const classified = { ...cell, account, gaps };
  return account.pending + account.quarantined === 0
    ? { ...classified, attempts: 0, pendingSinceMs: null, notBeforeMs: null, nextAttemptAtMs: null }
    : classified;
}

const reasonOf = ({ state, cause, evidence }: GapVerdict): GapReason => ({
  state: state as GapReason['state'],
  code: evidence.rows === 'missing' ? 'ROWS_MISSING' : null,
  cause,
});
