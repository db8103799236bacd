import { bothSettled } from '../../platform/concurrency.ts';
import { dayOf, dayRange, periodOf, type Period } from '../../domain/partition.ts';
import { mergeRanges } from '../../domain/range.ts';
import { bronzeAsset } from '../../domain/assets.ts';
import type { AssetReport } from '../../state/runs.ts';
import { restoreSymbol } from '../../state/symbols.ts';
import { CellsLeasedError, type Fault } from '../../errors/errors.ts';
import type { BronzeResult } from '../../lake/bronze/asset.ts';
import { planPages } from '../../exchanges/planner.ts';
import type { SilverReport } from '../../lake/silver/asset.ts';
import { writeManifestFile } from '../../lake/silver/manifest-file.ts';
import { takeLeasesLater, takeLeasesNow } from '../core/lease-keeping.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { venueOf } from '../core/exchanges.ts';
import { requireRoom } from '../plan/disk-budget.ts';
import { plansOf, removedFrom, type Removed } from '../plan/series-plans.ts';
import type { SeriesPlan } from '../plan/work-plan.ts';
import { joinBronzeReports } from './asset-reports.ts';
import { fetchPages } from './bronze-step.ts';
import { classifyDays } from './gap-classification.ts';
import type { IngestContext } from './ingest-context.ts';
import { periodsByLease } from './period-leases.ts';
import { silverStep } from './silver-step.ts';

export interface ExchangeIngestResult {
  readonly bronze: AssetReport;
  readonly silver: readonly SilverReport[];
  readonly faults: readonly Fault[];
  readonly wasAnswered: boolean;
}

/**
 * Bronze and silver of one exchange. Periods that another run holds come last; those it still holds then
 * are skipped and reported as CELLS_LEASED.
 */
export async function ingestExchange(pipeline: Pipeline, ingest: IngestContext): Promise<ExchangeIngestResult> {
  const { run, exchange } = ingest;
  const result = ingestLeased(pipeline, ingest);
  if (!run.request.assets.includes('silver')) return result;
  // A run that was stopped has written files too. Its own error comes before an error of the manifest.
  const manifest = (): Promise<void> => writeManifestFile(pipeline, { exchange, interval: run.interval });
  const [ingested] = await bothSettled(result, result.then(manifest, manifest));
  return ingested;
}

async function ingestLeased(pipeline: Pipeline, ingest: IngestContext): Promise<ExchangeIngestResult> {
  const { run, exchange } = ingest;
  const periodByLease = periodsByLease(exchange, run.interval, ingest.days);
  const periodsOf = (names: readonly string[]): Period[] => names.flatMap((name) => periodByLease.get(name) ?? []);

  const now = await takeLeasesNow(pipeline.ports, run.id, [...periodByLease.keys()]);
  const parts = [await ingestPeriods(pipeline, ingest, periodsOf(now.granted))];
  const later =
    now.refused.length === 0
      ? null
      : await takeLeasesLater(pipeline.ports, {
          runId: run.id,
          names: now.refused.map(({ name }) => name),
          signal: ingest.signal,
        });
  if (later !== null) parts.push(await ingestPeriods(pipeline, ingest, periodsOf(later.granted)));
  const leased = (later?.refused ?? []).map(({ name, owner }) => new CellsLeasedError({ lease: name, owner }));
  return {
    bronze: joinBronzeReports([
      ...parts.map((part) => part.bronze.report),
      ...(leased.length === 0 ? [] : [leasedReport(ingest)]),
    ]),
    silver: parts.flatMap((part) => part.silver),
    faults: [...parts.flatMap((part) => part.bronze.faults), ...leased],
    wasAnswered: parts.some((part) => part.bronze.wasAnswered),
  };
}

/** The part of the asset that another run holds: nothing was requested for it here. */
const leasedReport = ({ exchange, symbols }: IngestContext): AssetReport => ({
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

/** Plans, fetches, writes and classifies whole periods, which this run holds. */
async function ingestPeriods(
  pipeline: Pipeline,
  ingest: IngestContext,
  periods: readonly Period[],
): Promise<{ bronze: BronzeResult; silver: readonly SilverReport[] }> {
  const { exchange, run, fence, slot } = ingest;
  const { interval, request } = run;
  const held = new Set(periods);
  const days = ingest.days.filter((day) => held.has(periodOf(day, interval)));
  const removed = await removedFrom(pipeline, exchange);
  const planned = await plansOf(pipeline, { ...request, exchange, symbols: ingest.symbols, interval, days }, removed);
  const plans = request.assets.includes('bronze') ? planned : planned.map(withoutRequests);
  requireRoom(pipeline, { exchange, interval, periods, plans });
  const { rowsPerPageMax } = venueOf(pipeline.venues, exchange).adapter;
  const work = plans.map((plan) => ({ ...plan, pages: planPages(plan.series, plan.toFetch, rowsPerPageMax) }));
  const progress = slot.track(
    exchange,
    work.flatMap(({ pages }) => pages),
  );
  const silver = silverStep(pipeline, ingest, plans);
  const writesSilver = request.assets.includes('silver');
  // A period is written once its pages are answered; with withheld or removed symbols, once everything is fetched.
  const isPlain =
    writesSilver && plans.every(({ series, withheld }) => withheld.length === 0 && !removed.has(series.symbol));
  const [bronze] = await bothSettled(
    fetchPages(pipeline, ingest, { work, progress }).finally(progress.close),
    isPlain ? silver.writeSettled(progress.settled) : Promise.resolve(),
  );
  await restoreAnswered(pipeline, plans, { removed, failed: bronze.failed });
  slot.requested(exchange);
  await slot.mayWrite();
  if (writesSilver) await silver.writeRest(periods, bronze);
  for (const { fromMs, toMs } of silver.reports.length === 0 ? [] : mergeRanges(days.map(dayRange)))
    await classifyDays(pipeline, fence, { exchange, interval, start: dayOf(fromMs), end: dayOf(toMs - 1) });
  return { bronze, silver: silver.reports };
}

/** A run without bronze rebuilds silver from stored responses and requests nothing. */
const withoutRequests = (plan: SeriesPlan): SeriesPlan => ({ ...plan, toFetch: [], requestedDays: new Set() });

/** Symbols that were answered although their exchange once did not list them are active again. */
async function restoreAnswered(
  { ports }: Pipeline,
  plans: readonly SeriesPlan[],
  { removed, failed }: { readonly removed: Removed; readonly failed: BronzeResult['failed'] },
): Promise<void> {
  for (const { series, toFetch } of plans) {
    if (!removed.has(series.symbol) || toFetch.length === 0 || failed.has(series.symbol)) continue;
    const restored = {
      exchange: series.exchange,
      symbol: series.symbol,
      reason: `${series.exchange} answers requests for it again`,
      changedAtMs: ports.clock.nowMs(),
    };
    await ports.store.transact(restoreSymbol, restored);
  }
}
