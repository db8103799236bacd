import type { Trace } from '../../platform/ports/telemetry.ts';
import type { Exchange } from '../../domain/exchange.ts';
import { dayOf, dayRange, periodOf, type Day, type Period } from '../../domain/partition.ts';
import { mergeRanges } from '../../domain/range.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import { bronzeAsset } from '../../domain/assets.ts';
import type { AssetReport, Fence, Run } from '../../state/runs.ts';
import { restoreSymbol } from '../../state/symbols.ts';
import { CellsLeasedError, type Fault } from '../../errors/errors.ts';
import { materialiseBronze, type BronzeResult } from '../../lake/bronze/asset.ts';
import { bronzeWriter } from '../../lake/bronze/writer.ts';
import type { QueryContext } from '../../lake/bronze/exchange-query.ts';
import type { Page } from '../../exchanges/adapter.ts';
import { planPages } from '../../exchanges/planner.ts';
import { periodLease } from '../../lake/layout.ts';
import type { SilverReport } from '../../lake/silver/asset.ts';
import { writeManifestFile } from '../../lake/silver/manifest-file.ts';
import { joinBronzeReports } from './asset-reports.ts';
import { requireRoom } from '../plan/disk-budget.ts';
import { classifyDays } from './gap-classification.ts';
import { takeLeasesLater, takeLeasesNow } from '../core/lease-keeping.ts';
import type { Pipeline } from '../core/pipeline.ts';
import type { RunControl } from '../core/run-control.ts';
import { settledPeriods, type SettledPeriods } from './settled-periods.ts';
import { silverStep } from './silver-step.ts';
import { venueOf } from '../core/exchanges.ts';
import type { SeriesPlan } from '../plan/work-plan.ts';
import type { RunRequest } from '../../state/run-request.ts';
import { type Removed, plansOf, removedFrom } from '../plan/series-plans.ts';

/** The part of a run that concerns one venue. */
export interface ExchangeIngest {
  readonly run: Run;
  readonly request: RunRequest;
  readonly fence: Fence;
  readonly days: readonly Day[];
  readonly exchange: Exchange;
  readonly symbols: readonly MarketSymbol[];
  /** The run's span. */
  readonly trace: Trace;
}

export interface ExchangeIngestResult {
  readonly bronze: AssetReport;
  readonly silver: readonly SilverReport[];
  readonly faults: readonly Fault[];
  readonly wasAnswered: boolean;
}

/**
 * Bronze and silver of one venue. Periods that another run holds are left for last; what it still
 * holds then is not done and told as CELLS_LEASED.
 */
export async function ingestExchange(
  pipeline: Pipeline,
  turn: ExchangeIngest,
  control: RunControl,
): Promise<ExchangeIngestResult> {
  const { run, exchange } = turn;
  const result = materialiseParts(pipeline, turn, control);
  if (!turn.request.assets.includes('silver')) return result;
  // Also for what a run has written that was stopped; why it was stopped is told before what the manifest meets.
  const manifest = (): Promise<void> => writeManifestFile(pipeline, { exchange, interval: run.interval });
  const [venue] = await bothDone(result, result.then(manifest, manifest));
  return venue;
}

async function materialiseParts(
  pipeline: Pipeline,
  turn: ExchangeIngest,
  control: RunControl,
): Promise<ExchangeIngestResult> {
  const { run, exchange } = turn;
  const periodByLease = periodsByLease({ exchange, interval: run.interval, days: turn.days });
  const periodsOf = (names: readonly string[]): Period[] => names.flatMap((name) => periodByLease.get(name) ?? []);

  const atOnce = await takeLeasesNow(pipeline.ports, run.id, [...periodByLease.keys()]);
  const parts = [await materialisePeriods(pipeline, turn, { periods: periodsOf(atOnce.granted), control })];
  const later =
    atOnce.refused.length === 0
      ? null
      : await takeLeasesLater(pipeline.ports, {
          runId: run.id,
          names: atOnce.refused.map(({ name }) => name),
          signal: control.signal,
        });
  if (later !== null)
    parts.push(await materialisePeriods(pipeline, turn, { periods: periodsOf(later.granted), control }));
  const leased = (later?.refused ?? []).map(({ name, owner }) => new CellsLeasedError({ lease: name, owner }));
  return {
    bronze: joinBronzeReports([
      ...parts.map((part) => part.bronze.report),
      ...(leased.length === 0 ? [] : [leasedReport(turn)]),
    ]),
    silver: parts.flatMap((part) => part.silver),
    faults: [...parts.flatMap((part) => part.bronze.faults), ...leased],
    wasAnswered: parts.some((part) => part.bronze.wasAnswered),
  };
}

/** The leases that days of a venue need, each with its period. */
export const periodsByLease = ({
  exchange,
  interval,
  days,
}: Pick<ExchangeIngest, 'exchange' | 'days'> & Pick<Run, 'interval'>): ReadonlyMap<string, Period> =>
  new Map(
    [...new Set(days.map((day) => periodOf(day, interval)))].map((period) => [
      periodLease({ exchange, interval, period }),
      period,
    ]),
  );

/** The part of the asset that another run holds: nobody was asked for it here. */
const leasedReport = ({ exchange, symbols }: ExchangeIngest): AssetReport => ({
  asset: bronzeAsset(exchange),
  outcome: 'partial',
  status: 'skipped',
  input_rows: 0,
  output_rows: 0,
  removed_rows: 0,
  removal_rate: 0,
  validation_errors: 0,
  validation_warnings: 0,
  symbols_ok: 0,
  symbols_failed: symbols.length,
  errors: Object.fromEntries(symbols.map((symbol) => [symbol, 'CELLS_LEASED' as const])),
});

interface PeriodsWork {
  readonly periods: readonly Period[];
  readonly control: RunControl;
}

async function materialisePeriods(
  pipeline: Pipeline,
  turn: ExchangeIngest,
  { periods, control }: PeriodsWork,
): Promise<{ bronze: BronzeResult; silver: readonly SilverReport[] }> {
  const own = new Set(periods);
  const days = turn.days.filter((day) => own.has(periodOf(day, turn.run.interval)));
  const removed = await removedFrom(pipeline, turn.exchange);
  const plans = await plansOf(pipeline, { ...turn, ...turn.request, interval: turn.run.interval, days }, removed);
  if (turn.request.assets.includes('bronze'))
    requireRoom(pipeline, { exchange: turn.exchange, interval: turn.run.interval, periods, plans });
  const step = silverStep(pipeline, turn, { plans, control });
  const pages = turn.request.assets.includes('bronze')
    ? plans.flatMap(({ series, ask }) =>
        planPages(series, ask, venueOf(pipeline.venues, turn.exchange).adapter.rowsPerPageMax),
      )
    : [];
  const settled = settledPeriods(pages, turn.run.interval);
  // A period is written as soon as it is answered; where something is known to be in the way, once all is known.
  const isPlain =
    turn.request.assets.includes('silver') &&
    plans.every(({ series, withheld }) => withheld.length === 0 && !removed.has(series.symbol));
  const [bronze] = await bothDone(
    fetchPages(pipeline, turn, { plans, pages: pages.length, settled, control }).finally(settled.close),
    isPlain ? step.writeSettled(settled) : Promise.resolve(),
  );
  await restoreAnswered(pipeline, plans, { removed, failed: bronze.failed });
  control.onAsked();
  await control.previousEnded();
  if (turn.request.assets.includes('silver')) await step.writeRest(periods, bronze);
  for (const { fromMs, toMs } of step.reports.length === 0 ? [] : mergeRanges(days.map(dayRange))) {
    await classifyDays(pipeline, turn.fence, {
      exchange: turn.exchange,
      interval: turn.run.interval,
      start: dayOf(fromMs),
      end: dayOf(toMs - 1),
    });
  }
  return { bronze, silver: step.reports };
}

/** Both results once both have ended. @throws what the first of them threw. */
async function bothDone<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

/** Symbols that answered although their venue once did not list them are active again. */
async function restoreAnswered(
  { ports }: Pipeline,
  plans: readonly SeriesPlan[],
  { removed, failed }: { readonly removed: Removed; readonly failed: BronzeResult['failed'] },
): Promise<void> {
  for (const { series, ask } of plans) {
    if (!removed.has(series.symbol) || ask.length === 0 || failed.has(series.symbol)) continue;
    const restored = {
      exchange: series.exchange,
      symbol: series.symbol,
      reason: `${series.exchange} answers for it again`,
      changedAtMs: ports.clock.nowMs(),
    };
    await ports.store.transact('restoreSymbol', () => restoreSymbol(restored));
  }
}

interface PageFetch {
  readonly plans: readonly SeriesPlan[];
  readonly pages: number;
  readonly settled: Pick<SettledPeriods, 'pageEnded'>;
  readonly control: RunControl;
}

async function fetchPages(pipeline: Pipeline, turn: ExchangeIngest, asking: PageFetch): Promise<BronzeResult> {
  const { ports, lake } = pipeline;
  const { plans, pages, control } = asking;
  const venue = venueOf(pipeline.venues, turn.exchange);
  const days = { start: turn.run.partition, end: turn.run.partitionEnd };
  control.onProgress({
    type: 'run',
    runId: turn.run.id,
    exchange: turn.exchange,
    interval: turn.run.interval,
    days,
    ...control.position,
    pages,
  });
  const work = plans.map(({ series, ask, withheld }) => ({ series, ask: pages === 0 ? [] : ask, withheld }));
  const asset = bronzeAsset(turn.exchange);
  return turn.trace.span(
    asset,
    { run: turn.run.id, asset, exchange: turn.exchange, interval: turn.run.interval },
    async (trace) => {
      const context = {
        ports,
        ...venue,
        limiter: venue.policies.limiter,
        writer: bronzeWriter(ports, lake, turn.fence),
        runId: turn.run.id,
        signal: control.signal,
        trace,
        ...pageCounts(turn, asking),
      };
      const result = await materialiseBronze(context, work);
      if (result.report.outcome === 'failed')
        trace.fail(result.endedBy?.code ?? result.faults[0]?.code ?? 'SYMBOLS_FAILED');
      return result;
    },
  );
}

/** Tells of progress, and when the next run may begin to ask: the last page is under way, and none that answers for the next run's days as well. */
function pageCounts(
  { run }: ExchangeIngest,
  { pages, settled, control }: PageFetch,
): Pick<QueryContext, 'onPageBegun' | 'onPageEnded'> {
  const { fromMs } = dayRange(run.partition);
  let [begun, shared, ended] = [0, 0, 0];
  const count = (page: Page, step: 1 | -1): void => {
    if (page.range.fromMs < fromMs) shared += step;
    if (begun === pages && shared === 0) control.onAsked();
  };
  return {
    onPageBegun: (page) => {
      begun += 1;
      count(page, 1);
    },
    onPageEnded: (page, as) => {
      ended += 1;
      settled.pageEnded(page, as);
      control.onProgress({
        type: 'page',
        runId: run.id,
        exchange: page.series.exchange,
        symbol: page.series.symbol,
        pagesDone: ended,
        pages,
      });
      count(page, -1);
    },
  };
}
