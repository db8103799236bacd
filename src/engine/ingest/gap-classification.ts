import type { Exchange } from '../../domain/exchange.ts';
import { DAY_MS, intervalMs, type Interval } from '../../domain/interval.ts';
import { dayOf, dayRange, daysBetween, type Day } from '../../domain/partition.ts';
import { intersectRanges, mergeRanges, subtractRanges, type TimeRange } from '../../domain/range.ts';
import type { CellState } from '../../domain/cell.ts';
import { cellsOfVenue, recordCells } from '../../state/cells.ts';
import { checkFence, type Fence } from '../../state/runs.ts';
import { firstCandleOf } from '../../state/symbols.ts';
import { acceptancesOf, recordVerdicts } from '../../state/verdicts.ts';
import { usedPages, type PageEntry } from '../../lake/bronze/page-index.ts';
import { classifyGaps, type GapVerdict } from '../../lake/quality/gaps/gap-verdicts.ts';
import { classifiedCell } from '../../lake/quality/gaps/classified-cell.ts';
import { KNOWN_INCIDENTS } from '../../lake/quality/gaps/known-incidents.ts';
import {
  asOtherVenue,
  type ObservedResponse,
  type SeriesRecord,
  type VenueRecord,
} from '../../lake/quality/gaps/series-record.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { venueOf } from '../core/exchanges.ts';

/** Days of one venue and candle length. */
export interface ClassifiedDays {
  readonly exchange: Exchange;
  readonly interval: Interval;
  readonly start: Day;
  readonly end: Day;
}

/** History that shows how often a symbol trades. Unit: milliseconds. */
const HISTORY_MS = 30 * DAY_MS;

/**
 * Classifies every hole of these days, and every run of flat rows during an outage, from what ledger and bronze hold
 * about all symbols of this venue and of the others. Cells, verdicts and evidence change in one transaction.
 * @throws CellsLeasedError (CELLS_LEASED) when another process took the run over.
 */
export async function classifyDays(pipeline: Pipeline, fence: Fence, days: ClassifiedDays): Promise<void> {
  const { store, clock } = pipeline.ports;
  const range = { fromMs: dayRange(days.start).fromMs, toMs: dayRange(days.end).toMs };
  const cells = await store.read(cellsOfVenue, days, days);
  if (!isWorthClassifying(cells, { ...days, range })) return;
  const record = await venueRecord(pipeline, days, { fromMs: range.fromMs - HISTORY_MS, toMs: range.toMs });
  const others: VenueRecord[] = [];
  for (const exchange of pipeline.venues.keys())
    if (exchange !== days.exchange) others.push(await venueRecord(pipeline, { ...days, exchange }, range));
  const verdicts = classifyGaps(
    { ...record, others: others.filter(({ series }) => series.length > 0).map(asOtherVenue) },
    { classified: range, incidents: KNOWN_INCIDENTS, recheckAfterMs: pipeline.settings.recheckAfterMs },
  );
  const bySymbol = Map.groupBy(verdicts, ({ symbol }) => symbol);
  const nowMs = clock.nowMs();
  await store.transact(function* recordClassification() {
    yield* checkFence(fence);
    for (const symbol of new Set(cells.map((cell) => cell.symbol))) {
      const own = bySymbol.get(symbol) ?? [];
      yield* recordVerdicts(
        { ...days, symbol },
        days,
        own.flatMap(byDay).map((verdict) => ({ ...verdict, judgedAtMs: nowMs })),
      );
      yield* recordCells(
        classifiedCells(
          cells.filter((cell) => cell.symbol === symbol),
          own,
        ),
        { runId: fence.runId, nowMs },
      );
    }
  });
}

/** Splits a verdict at day borders, so that each cell has its own verdicts. */
const byDay = (verdict: GapVerdict): GapVerdict[] =>
  daysBetween(dayOf(verdict.fromMs), dayOf(verdict.toMs - 1))
    .map(dayRange)
    .map((day) => ({
      ...verdict,
      fromMs: Math.max(day.fromMs, verdict.fromMs),
      toMs: Math.min(day.toMs, verdict.toMs),
    }));

/** The cells that the verdicts change or confirm. */
const classifiedCells = (cells: readonly CellState[], verdicts: readonly GapVerdict[]): CellState[] =>
  cells.filter((cell) => cell.gaps.length > 0 || cell.flat.length > 0).map((cell) => classifiedCell(cell, verdicts));

/** True for any hole; for flat rows only if half of the symbols are flat together, or during a known incident. */
function isWorthClassifying(
  cells: readonly CellState[],
  { exchange, range }: { readonly exchange: Exchange; readonly range: TimeRange },
): boolean {
  if (cells.some((cell) => cell.gaps.some((gap) => gap.code === 'ROWS_MISSING' || gap.state === 'outage'))) return true;
  const flat = cells.flatMap((cell) => cell.flat);
  const incidents = KNOWN_INCIDENTS.filter(
    (incident) => incident.exchange === exchange && incident.fromMs < range.toMs && incident.toMs > range.fromMs,
  );
  if (intersectRanges(flat, incidents).length > 0) return true;
  const symbols = new Set(cells.map((cell) => cell.symbol)).size;
  return mostConcurrent(flat) * 2 >= symbols && flat.length > 0;
}

/** The largest number of these ranges that overlap at one time. */
function mostConcurrent(ranges: readonly TimeRange[]): number {
  const edges = ranges
    .flatMap(
      ({ fromMs, toMs }) =>
        [
          [fromMs, 1],
          [toMs, -1],
        ] as const,
    )
    .toSorted(([a, x], [b, y]) => a - b || x - y);
  let [now, most] = [0, 0];
  for (const [, step] of edges) most = Math.max(most, (now += step));
  return most;
}

async function venueRecord(
  { ports, venues }: Pipeline,
  { exchange, interval }: ClassifiedDays,
  range: TimeRange,
): Promise<VenueRecord> {
  const { adapter } = venueOf(venues, exchange);
  const known = await ports.store.read(function* venueRecord() {
    const cells = yield* cellsOfVenue(
      { exchange, interval },
      { start: dayOf(range.fromMs), end: dayOf(range.toMs - 1) },
    );
    const pages = cells.length === 0 ? [] : yield* usedPages({ exchange, interval }, range);
    const listings: Pick<SeriesRecord, 'symbol' | 'listedFromMs' | 'accepted'>[] = [];
    for (const symbol of new Set(cells.map((cell) => cell.symbol))) {
      const series = { exchange, interval, symbol };
      listings.push({
        symbol,
        listedFromMs: (yield* firstCandleOf(series))?.openMs ?? null,
        accepted: yield* acceptancesOf(series, range),
      });
    }
    return { cells, pages, listings };
  });
  const cellsOf = Map.groupBy(known.cells, (cell) => cell.symbol);
  const pagesOf = Map.groupBy(known.pages, (page) => page.series.symbol);
  return {
    exchange,
    stepMs: intervalMs(interval),
    emptyCandles: adapter.emptyCandles,
    rowsPerPageMax: adapter.rowsPerPageMax,
    series: known.listings.map((listing) =>
      seriesOf(listing, cellsOf.get(listing.symbol) ?? [], pagesOf.get(listing.symbol) ?? []),
    ),
    others: [],
  };
}

function seriesOf(
  listing: Pick<SeriesRecord, 'symbol' | 'listedFromMs' | 'accepted'>,
  cells: readonly CellState[],
  pages: readonly PageEntry[],
): SeriesRecord {
  const responses = pages.map(
    ({ range, fetchedAtMs, hull }): ObservedResponse => ({
      ...range,
      atMs: fetchedAtMs,
      firstOpenMs: hull?.firstOpenMs ?? null,
      lastOpenMs: hull?.lastOpenMs ?? null,
    }),
  );
  const flat = mergeRanges(cells.flatMap((cell) => cell.flat));
  return {
    ...listing,
    responses,
    answered: intersectRanges(responses, mergeRanges(cells.map((cell) => dayRange(cell.day)))),
    missing: subtractRanges(
      cells.flatMap((cell) => cell.gaps.filter(({ code }) => code === 'ROWS_MISSING')),
      flat,
    ),
    flat,
    cut: cells.flatMap((cell) => cell.cut),
  };
}
