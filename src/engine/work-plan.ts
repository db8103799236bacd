import type { Series } from '../market/candle.ts';
import { mergeRanges, subtractRanges, type TimeRange } from '../market/range.ts';
import { dayRange, dueAtMs, type Day } from '../market/partition.ts';
import type { CellState, FailedRange } from '../faults/ledger/account.ts';

/** Which cells of the asked range are asked again. */
export type Selection =
  | 'missing' // not complete: never asked, failed, or due for another look
  | 'failed' // asked before and came out incomplete
  | 'all'; // complete ones too (`--force`)

export interface PlanOptions {
  readonly selection: Selection;
  /**
   * Which waits of our own are kept: `all` (healing keeps its appointments), `holes` (a command typed by
   * hand asks again at once what failed, but a hole that the venue answered with waits for its second
   * look), `none` (`heal --now`). A wait that the venue asked for is always kept.
   */
  readonly keptWaits: 'all' | 'holes' | 'none';
  readonly nowMs: number;
}

/** What is known of a series in the asked days. */
export interface SeriesKnowledge {
  readonly series: Series;
  readonly days: readonly Day[];
  readonly cells: ReadonlyMap<Day, CellState>;
  /** What used answers in bronze cover. */
  readonly covered: readonly TimeRange[];
  readonly firstCandleMs: number | null;
  /** The venue's grace. */
  readonly graceMs: number;
}

/** The work on one series. */
export interface SeriesPlan {
  readonly series: Series;
  /** Ranges to ask the venue for. */
  readonly ask: readonly TimeRange[];
  /** Days whose cells are accounted for in this run, asked or not. */
  readonly days: readonly Day[];
  readonly askedDays: ReadonlySet<Day>;
  /** What is not asked because of what a venue said before: to come back later, or that it does not list the symbol. */
  readonly withheld: readonly FailedRange[];
}

/**
 * Decides what to ask for one series. What bronze holds is not asked again; a hole in an answered page
 * waits for its appointment; a fault's cells are asked at once when a person runs a command.
 */
export function planSeries(known: SeriesKnowledge, options: PlanOptions): SeriesPlan {
  const ask: TimeRange[] = [];
  const days: Day[] = [];
  const askedDays = new Set<Day>();
  const withheld: FailedRange[] = [];
  for (const day of known.days) {
    if (dueAtMs(day, known.graceMs) > options.nowMs) continue;
    const cell = known.cells.get(day) ?? null;
    const wanted = wantedOf(day, cell, known, options);
    if (wanted === 'nothing') continue;
    if (wanted === 'parked') {
      withheld.push(...parkedRanges(cell));
      continue;
    }
    days.push(day);
    if (wanted.length > 0) askedDays.add(day);
    ask.push(...wanted);
  }
  return { series: known.series, ask: mergeRanges(ask), days, askedDays, withheld };
}

const parkedRanges = (cell: CellState | null): FailedRange[] =>
  (cell?.gaps ?? []).map(({ fromMs, toMs, code }) => ({ range: { fromMs, toMs }, code: code ?? 'EXCHANGE_RATE_LIMITED', notBeforeMs: cell?.notBeforeMs ?? null }));

function wantedOf(day: Day, cell: CellState | null, known: SeriesKnowledge, options: PlanOptions): TimeRange[] | 'nothing' | 'parked' {
  const whole = dayRange(day);
  const listed = { fromMs: Math.max(whole.fromMs, known.firstCandleMs ?? whole.fromMs), toMs: whole.toMs };
  const isParked = (cell?.notBeforeMs ?? 0) > options.nowMs;
  if (options.selection === 'all') return isParked ? 'parked' : [listed];
  if (cell === null) return options.selection === 'failed' ? 'nothing' : subtractRanges([listed], known.covered);
  if (cell.account.pending + cell.account.quarantined === 0) return 'nothing';
  if (isParked) return 'parked';
  const isAppointed = options.keptWaits === 'none' || (cell.nextAttemptAtMs !== null && cell.nextAttemptAtMs <= options.nowMs);
  if (isAppointed) return [...cell.gaps];
  const failed = options.keptWaits === 'all' ? [] : cell.gaps.filter((gap) => gap.state === 'pending' && gap.code !== 'ROWS_MISSING');
  return failed.length === 0 ? 'nothing' : failed;
}
