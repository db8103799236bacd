import type { Series } from '../../domain/candle.ts';
import { intervalMs } from '../../domain/interval.ts';
import { candlesIn, intersectRanges, mergeRanges, subtractRanges, type TimeRange } from '../../domain/range.ts';
import { dayOf, dayRange, dueAtMs, type Day } from '../../domain/partition.ts';
import type { CellState } from '../../domain/cell.ts';
import { isOpenGap, type FailedRange } from '../../domain/gap.ts';
import type { WaitPolicy, Selection } from '../../state/run-request.ts';
import { withNeighbours } from '../../lake/quality/gaps/attempts.ts';

export interface PlanOptions {
  readonly selection: Selection;
  readonly waitPolicy: WaitPolicy;
  readonly nowMs: number;
}

/** Stored facts about a series in the days of the run. */
export interface SeriesKnowledge {
  readonly series: Series;
  readonly days: readonly Day[];
  readonly cells: ReadonlyMap<Day, CellState>;
  /** Ranges that used responses in bronze cover. */
  readonly covered: readonly TimeRange[];
  /** The same for days that are not due, without ranges due for a recheck. */
  readonly coveredOpen: readonly TimeRange[];
  /** The newest candle that a response covers, and when it was last received; null when there is none. */
  readonly newest: { readonly openMs: number; readonly answeredAtMs: number } | null;
  readonly firstCandleMs: number | null;
  /** Start of the whole request: other runs of it fetch the days from here to the first known day. */
  readonly requestedFromMs: number;
  /** The venue's grace, and the most candles of one of its responses. */
  readonly graceMs: number;
  readonly rowsPerPageMax: number;
}

/** The work on one series. */
export interface SeriesPlan {
  readonly series: Series;
  /** Ranges to request. */
  readonly toFetch: readonly TimeRange[];
  /** Days whose cells this run accounts for, with or without a request. */
  readonly days: readonly Day[];
  readonly requestedDays: ReadonlySet<Day>;
  /** Days that are not due yet: their closed candles are stored, and enter the account once the day is due. */
  readonly openDays: readonly Day[];
  /** Ranges not requested because the venue set a wait or does not list the symbol. */
  readonly withheld: readonly FailedRange[];
}

/**
 * Decides what to request for one series. Responses in bronze are not requested again. A hole in an answered
 * page waits for its next attempt. Cells that failed by a fault are requested at once when a person runs a
 * command. Of a day that is not due, closed candles are requested, and holes once more after the recheck wait.
 */
export function planSeries(known: SeriesKnowledge, options: PlanOptions): SeriesPlan {
  const toFetch: TimeRange[] = [];
  const days: Day[] = [];
  const requestedDays = new Set<Day>();
  const openDays: Day[] = [];
  const withheld: FailedRange[] = [];
  for (const day of known.days) {
    if (dueAtMs(day, known.graceMs) > options.nowMs) {
      const closed = closedPart(day, known, options.nowMs);
      if (closed.toMs <= closed.fromMs || options.selection === 'failed') continue;
      openDays.push(day); // rebuilt without a request too: a crash may have come between bronze and silver
      if (options.selection !== 'kept')
        toFetch.push(...(options.selection === 'all' ? [closed] : subtractRanges([closed], known.coveredOpen)));
      continue;
    }
    const cell = known.cells.get(day) ?? null;
    const wanted = wantedOf(day, cell, known, options);
    if (wanted === 'nothing') continue;
    if (wanted === 'parked') {
      withheld.push(...parkedRanges(cell));
      continue;
    }
    days.push(day);
    if (wanted.length > 0) requestedDays.add(day);
    toFetch.push(...wanted);
  }
  const reread = options.selection === 'missing' ? revisionOf(mergeRanges(toFetch), known) : null;
  const rereadDay = reread === null ? null : dayOf(reread.fromMs);
  if (rereadDay !== null && !openDays.includes(rereadDay) && !days.includes(rereadDay)) days.push(rereadDay);
  const needed = mergeRanges(reread === null ? toFetch : [...toFetch, reread]);
  return {
    series: known.series,
    toFetch: options.selection === 'missing' ? filledPage(needed, known) : needed,
    days: days.toSorted(),
    requestedDays,
    openDays,
    withheld,
  };
}

/**
 * The newest stored candle, when it was received less than one interval after its close: the venue may have
 * revised it since. It is requested again with the candles after it, if that costs no further request.
 */
function revisionOf(
  toFetch: readonly TimeRange[],
  { series, newest, days, rowsPerPageMax }: SeriesKnowledge,
): TimeRange | null {
  const stepMs = intervalMs(series.interval);
  if (newest === null || newest.answeredAtMs >= newest.openMs + 2 * stepMs || !days.includes(dayOf(newest.openMs)))
    return null;
  const next = toFetch.find(({ fromMs }) => fromMs === newest.openMs + stepMs);
  if (next === undefined || candlesIn(next, series.interval) % rowsPerPageMax === 0) return null;
  return { fromMs: newest.openMs, toMs: next.fromMs };
}

/** Fills a page: it begins earlier, in days that a later run of the same request would fetch anyway. */
function filledPage(
  [first, ...others]: readonly TimeRange[],
  { series, days, covered, firstCandleMs, requestedFromMs, rowsPerPageMax }: SeriesKnowledge,
): TimeRange[] {
  if (first === undefined) return [];
  if (first.fromMs !== dayRange(days[0] ?? '').fromMs) return [first, ...others];
  const empty = (rowsPerPageMax - (candlesIn(first, series.interval) % rowsPerPageMax)) % rowsPerPageMax;
  const knownUntilMs = Math.max(
    requestedFromMs,
    firstCandleMs ?? requestedFromMs,
    ...covered.map(({ toMs }) => toMs).filter((toMs) => toMs <= first.fromMs),
  );
  return [
    {
      fromMs: Math.min(first.fromMs, Math.max(first.fromMs - empty * intervalMs(series.interval), knownUntilMs)),
      toMs: first.toMs,
    },
    ...others,
  ];
}

const parkedRanges = (cell: CellState | null): FailedRange[] =>
  (cell?.gaps ?? [])
    .filter(({ state }) => state === 'pending')
    .map(({ fromMs, toMs, code }) => ({
      range: { fromMs, toMs },
      code: code ?? 'EXCHANGE_RATE_LIMITED',
      notBeforeMs: cell?.notBeforeMs ?? null,
    }));

/** The day from the first candle of the series on. */
function listedPart(day: Day, { firstCandleMs }: SeriesKnowledge): TimeRange {
  const { fromMs, toMs } = dayRange(day);
  return { fromMs: Math.max(fromMs, firstCandleMs ?? fromMs), toMs };
}

/** The candles of a day that have closed, the venue's grace included. */
function closedPart(day: Day, known: SeriesKnowledge, nowMs: number): TimeRange {
  const { fromMs, toMs } = listedPart(day, known);
  return { fromMs, toMs: Math.min(toMs, closedUntilMs(known, nowMs)) };
}

/** End of the newest candle that has settled. */
function closedUntilMs({ series, graceMs }: SeriesKnowledge, nowMs: number): number {
  const stepMs = intervalMs(series.interval);
  return Math.floor((nowMs - graceMs) / stepMs) * stepMs;
}

/** A hole with one candle on each side, where there can be one: a response with both proves the hole. */
function recheckOf(hole: TimeRange, known: SeriesKnowledge, nowMs: number): TimeRange {
  const wide = withNeighbours(hole, intervalMs(known.series.interval));
  return {
    fromMs: Math.max(wide.fromMs, Math.min(known.firstCandleMs ?? wide.fromMs, hole.fromMs)),
    toMs: Math.min(wide.toMs, closedUntilMs(known, nowMs)),
  };
}

function wantedOf(
  day: Day,
  cell: CellState | null,
  known: SeriesKnowledge,
  options: PlanOptions,
): TimeRange[] | 'nothing' | 'parked' {
  const listed = listedPart(day, known);
  if (options.selection === 'kept')
    return cell === null && intersectRanges(known.covered, [listed]).length === 0 ? 'nothing' : [];
  const isParked = (cell?.notBeforeMs ?? 0) > options.nowMs;
  if (options.selection === 'all') return isParked ? 'parked' : [listed];
  if (cell === null) return options.selection === 'failed' ? 'nothing' : subtractRanges([listed], known.covered);
  const open = cell.gaps.filter(isOpenGap);
  if (open.length === 0) return 'nothing';
  if (isParked) return 'parked';
  const isDue =
    options.waitPolicy === 'none' || (cell.nextAttemptAtMs !== null && cell.nextAttemptAtMs <= options.nowMs);
  if (isDue) return open.map((gap) => (gap.code === 'ROWS_MISSING' ? recheckOf(gap, known, options.nowMs) : gap));
  const failed =
    options.waitPolicy === 'all' ? [] : open.filter((gap) => gap.state === 'pending' && gap.code !== 'ROWS_MISSING');
  return failed.length === 0 ? 'nothing' : failed;
}
