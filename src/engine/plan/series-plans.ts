import type { Exchange } from '../../domain/exchange.ts';
import { intervalMs, type Interval } from '../../domain/interval.ts';
import { dayRange, type Day } from '../../domain/partition.ts';
import { mergeRanges } from '../../domain/range.ts';
import type { Series } from '../../domain/candle.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import { cellsOfSeries } from '../../state/cells.ts';
import { firstCandleOf, isLeftAlone, removedSymbols, type RemovedSymbol } from '../../state/symbols.ts';
import { usedPages, type PageEntry } from '../../lake/bronze/page-index.ts';
import { coverOfOpenDay } from './open-day-cover.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { venueOf } from '../core/exchanges.ts';
import { planSeries, type PlanOptions, type SeriesKnowledge, type SeriesPlan } from './work-plan.ts';
import type { RunRequest } from '../../state/run-request.ts';

/** The series of one venue to plan for. */
export interface VenueScope extends Pick<RunRequest, 'selection' | 'waitPolicy' | 'askedFrom'> {
  readonly exchange: Exchange;
  readonly symbols: readonly MarketSymbol[];
  readonly interval: Interval;
  readonly days: readonly Day[];
}

export type Removed = ReadonlyMap<MarketSymbol, RemovedSymbol>;

/** The plans of a venue, series by series. Symbols disabled by a person are left out. */
export async function plansOf(
  pipeline: Pipeline,
  { exchange, symbols, interval, days, ...options }: VenueScope,
  removed: Removed,
): Promise<SeriesPlan[]> {
  const nowMs = pipeline.ports.clock.nowMs();
  const plans: SeriesPlan[] = [];
  for (const symbol of symbols) {
    const series = { exchange, symbol, interval };
    const off = removed.get(symbol);
    if (off === undefined || !isSkipped(off, { ...options, nowMs }))
      plans.push(await planOf(pipeline, { ...options, series, days }));
    else if (off.code !== null) plans.push(planOfRemoved(series, days));
  }
  return plans;
}

/** Symbols of one venue that are off the active list. */
export async function removedFrom({ ports }: Pipeline, exchange: Exchange): Promise<Removed> {
  const removed = await ports.store.read(removedSymbols);
  return new Map(removed.filter((one) => one.exchange === exchange).map((one) => [one.symbol, one]));
}

/** `--force` requests delisted symbols again. Only a person enables what a person disabled. */
const isSkipped = (removed: RemovedSymbol, { selection, nowMs }: Pick<PlanOptions, 'selection' | 'nowMs'>): boolean =>
  isLeftAlone(removed, nowMs) && (removed.code === null || selection !== 'all');

const planOfRemoved = (series: Series, days: readonly Day[]): SeriesPlan => ({
  series,
  toFetch: [],
  days: [],
  requestedDays: new Set(),
  openDays: [],
  withheld: days.map((day) => ({ range: dayRange(day), code: 'SYMBOL_INVALID', notBeforeMs: null })),
});

interface SeriesScope extends Pick<RunRequest, 'selection' | 'waitPolicy' | 'askedFrom'> {
  readonly series: Series;
  /** Ascending. */
  readonly days: readonly Day[];
}

/** The plan of one series, from its cells in the ledger and its pages in bronze. */
async function planOf(
  { ports, venues, settings: { recheckAfterMs } }: Pipeline,
  scope: SeriesScope,
): Promise<SeriesPlan> {
  const { series, days } = scope;
  const { graceMs, rowsPerPageMax, emptyCandles } = venueOf(venues, series.exchange).adapter;
  const [start, end] = [days[0], days.at(-1)];
  const options = { selection: scope.selection, waitPolicy: scope.waitPolicy, nowMs: ports.clock.nowMs() };
  if (start === undefined || end === undefined)
    return { series, toFetch: [], days: [], requestedDays: new Set(), openDays: [], withheld: [] };
  const range = { fromMs: dayRange(start).fromMs, toMs: dayRange(end).toMs };
  const requestedFromMs = Math.min(range.fromMs, dayRange(scope.askedFrom ?? start).fromMs);
  const reachMs = Math.max(requestedFromMs, range.fromMs - rowsPerPageMax * intervalMs(series.interval));
  const known = await ports.store.read(function* seriesKnowledge() {
    return {
      cells: yield* cellsOfSeries(series, { start, end }),
      pages: yield* usedPages(series, { ...range, fromMs: reachMs }),
      first: yield* firstCandleOf(series),
    };
  });
  const covered = mergeRanges(known.pages.map((page) => page.range));
  const coveredOpen = coverOfOpenDay(known.pages, {
    interval: series.interval,
    emptyCandles,
    recheckAfterMs,
    nowMs: options.nowMs,
  });
  const cells = new Map(known.cells.map((cell) => [cell.day, cell]));
  const newest = newestOf(
    series,
    known.pages.filter((page) => page.range.toMs > range.fromMs),
  );
  return planSeries(
    {
      series,
      days,
      cells,
      covered,
      coveredOpen,
      newest,
      firstCandleMs: known.first?.openMs ?? null,
      requestedFromMs,
      graceMs,
      rowsPerPageMax,
    },
    options,
  );
}

function newestOf({ interval }: Series, pages: readonly PageEntry[]): SeriesKnowledge['newest'] {
  if (pages.length === 0) return null;
  const toMs = Math.max(...pages.map(({ range }) => range.toMs));
  return {
    openMs: toMs - intervalMs(interval),
    answeredAtMs: Math.max(...pages.filter(({ range }) => range.toMs === toMs).map(({ fetchedAtMs }) => fetchedAtMs)),
  };
}
