import { dayOf, dayRange, dueUntilMs } from '../../domain/partition.ts';
import { GAP_STATES } from '../../domain/gap.ts';
import { recordFaults, type FaultEntry } from '../../state/fault-log.ts';
import { GOLD_ASSET } from '../../domain/assets.ts';
import { releaseLeases } from '../../state/leases.ts';
import type { AssetReport } from '../../state/runs.ts';
import { CellsLeasedError, PublishError, type Fault } from '../../errors/errors.ts';
import { toRecord } from '../../errors/fault-record.ts';
import { datasetFiles, writeDataset, type GoldFile, type GoldPeriod } from '../../lake/gold/dataset.ts';
import { publishDataset, type PublishFailure } from '../../lake/gold/hub-publisher.ts';
import { silverColumns } from '../../lake/candle-columns.ts';
import { wholeManifest, type ManifestEntry } from '../../lake/manifest.ts';
import { periodBefore, readPeriod } from '../../lake/silver/period.ts';
import { responseReader } from '../../lake/silver/response-reader.ts';
import { summaryOf } from '../../lake/silver/summary.ts';
import { withHeldLeases, takeLeasesLater } from '../core/lease-keeping.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { accountOf } from '../core/range-account.ts';
import { venueOf } from '../core/exchanges.ts';
import type { Control } from '../core/work.ts';
import type { RunContext } from './ingest-context.ts';

export interface GoldResult {
  readonly report: AssetReport;
  readonly fault: Fault | null;
}

/** Makes and publishes the dataset, in a span of its own. */
export function materialiseGold(pipeline: Pipeline, context: RunContext): Promise<GoldResult> {
  const { run, trace } = context;
  return trace.span(GOLD_ASSET, { run: run.id, asset: GOLD_ASSET }, async (span) => {
    const result = await publishGold(pipeline, context, run.id);
    if (result.fault !== null) span.fail(result.fault.code);
    return result;
  });
}

/**
 * Makes the dataset folder under `gold/` from the silver files and publishes it with one commit. When the
 * Hub fails, the folder is complete all the same and the next run publishes it.
 */
async function publishGold(pipeline: Pipeline, control: Control, runId: string): Promise<GoldResult> {
  const { ports, settings } = pipeline;
  control.onProgress({ type: 'step', runId, asset: 'gold', detail: settings.hub?.repo ?? 'folder' });
  const made = await makeFolder(pipeline, control.signal, runId);
  if (made instanceof CellsLeasedError)
    return { report: { ...reportOf([], 'complete'), outcome: 'partial', status: 'skipped' }, fault: made };
  const { periods, dataset } = made;
  if (settings.hub === null) return { report: reportOf(periods, 'complete'), fault: null };
  try {
    const { result, head, filesChanged } = await publishDataset(
      { ...ports, random: ports.random.fork('hub'), onFailure: keepFailure(pipeline, runId) },
      settings.hub,
      dataset,
      control.signal,
    );
    ports.log.info(`${settings.hub.repo} ${result}`, { run: runId, head, filesChanged });
    return { report: reportOf(periods, 'complete'), fault: null };
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    return { report: reportOf(periods, 'failed'), fault: error };
  }
}

/** Held while the folder is written: every process of the data directory writes the same files. */
const GOLD_LEASE = 'gold';

/** Writes the folder, one process at a time. Returns an error that names the other process if it keeps the lease. */
async function makeFolder(
  pipeline: Pipeline,
  signal: AbortSignal,
  runId: string,
): Promise<{ readonly periods: readonly GoldPeriod[]; readonly dataset: readonly GoldFile[] } | CellsLeasedError> {
  const { ports, lake, settings } = pipeline;
  const owner = `${runId} gold`;
  const {
    refused: [refused],
  } = await takeLeasesLater(ports, { runId: owner, names: [GOLD_LEASE], signal });
  if (refused !== undefined) return new CellsLeasedError({ lease: refused.name, owner: refused.owner });
  try {
    return await withHeldLeases(ports, { owner, signal }, async () => {
      const manifest = await ports.store.read(wholeManifest);
      const periods: GoldPeriod[] = [];
      for (const entry of manifest) periods.push(...(await goldPeriod(pipeline, entry)));
      const dataset = datasetFiles({
        repo: settings.hub?.repo ?? null,
        periods,
        missing: await missingCandles(pipeline, periods),
      });
      writeDataset(ports.files, lake.gold, dataset);
      return { periods, dataset };
    });
  } finally {
    await ports.store.transact(releaseLeases, owner);
  }
}

/** Records every failed attempt in the fault log. */
const keepFailure =
  ({ ports }: Pipeline, runId: string) =>
  async ({ fault, tries, triesMax, decision, waitMs }: PublishFailure): Promise<void> => {
    const entry: FaultEntry = {
      id: ports.ids.next('fault'),
      atMs: ports.clock.nowMs(),
      runId,
      exchange: null,
      symbol: null,
      interval: null,
      range: null,
      attempt: tries,
      triesMax,
      decision,
      waitMs,
      record: toRecord(fault),
    };
    await ports.store.transact(recordFaults, [entry]);
  };

/**
 * A period as it is published: the bytes of its silver file. While silver holds candles of a day that is not
 * due, the file is rebuilt without them. Empty when nothing is due yet.
 */
async function goldPeriod(pipeline: Pipeline, entry: ManifestEntry): Promise<GoldPeriod[]> {
  const { ports, lake } = pipeline;
  const { adapter } = venueOf(pipeline.venues, entry.exchange);
  const untilMs = dueUntilMs(ports.clock.nowMs(), adapter.graceMs);
  if (entry.symbols.every((span) => span.lastOpenMs < untilMs))
    return [{ ...entry, bytes: ports.files.read(lake.at(entry.path)) }];
  const due = periodBefore(await readPeriod(ports, responseReader(ports, lake, adapter), entry), untilMs);
  return due.rows.length === 0
    ? []
    : [{ ...entry, ...summaryOf(due), bytes: await ports.parquet.encode(silverColumns(due.rows)) }];
}

/** Candles missing between the first and the last of each series, by `exchange symbol interval`. */
async function missingCandles(
  pipeline: Pipeline,
  periods: readonly GoldPeriod[],
): Promise<ReadonlyMap<string, number>> {
  const spans = periods.flatMap(({ exchange, interval, symbols }) =>
    symbols.map((span) => ({ ...span, exchange, interval })),
  );
  const missing = new Map<string, number>();
  for (const [key, own] of Map.groupBy(
    spans,
    ({ exchange, symbol, interval }) => `${exchange} ${symbol} ${interval}`,
  )) {
    const { exchange, symbol, interval } = own[0] as (typeof own)[number];
    const lastOpenMs = Math.max(...own.map((span) => span.lastOpenMs));
    const range = { fromMs: Math.min(...own.map((span) => span.firstOpenMs)), toMs: dayRange(dayOf(lastOpenMs)).toMs };
    const [account] = await accountOf(pipeline, {
      range,
      markets: new Map([[exchange, [symbol]]]),
      intervals: [interval],
    });
    missing.set(
      key,
      GAP_STATES.reduce((sum, state) => sum + (account?.account[state] ?? 0), 0),
    );
  }
  return missing;
}

function reportOf(periods: readonly GoldPeriod[], outcome: 'complete' | 'failed'): AssetReport {
  const rows = periods.reduce((sum, period) => sum + period.rowsOut, 0);
  return {
    asset: GOLD_ASSET,
    outcome,
    status: outcome === 'failed' ? 'failed' : rows === 0 ? 'no_input_data' : 'success',
    input_rows: rows,
    output_rows: rows,
    removed_rows: 0,
    removal_rate: 0,
    validation_errors: 0,
    validation_warnings: 0,
    symbols_ok: new Set(
      periods.flatMap(({ exchange, symbols }) => symbols.map(({ symbol }) => `${exchange} ${symbol}`)),
    ).size,
    symbols_failed: 0,
    errors: {},
  };
}
