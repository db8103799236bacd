import { candlesIn } from '../market/range.ts';
import { dayOf, dayRange, daysBetween } from '../market/partition.ts';
import type { AssetReport } from '../faults/ledger/runs.ts';
import { PublishError, type Fault } from '../faults/taxonomy/errors.ts';
import { datasetFiles, writeDataset, type GoldFile } from '../data/gold/dataset.ts';
import { publishDataset } from '../data/gold/hub-publisher.ts';
import { wholeManifest, type ManifestEntry } from '../data/lake/manifest.ts';
import type { Pipeline } from './pipeline.ts';
import { accountOf } from './range-account.ts';
import { GOLD_ASSET } from './run-verdict.ts';
import type { Control } from './work.ts';

export interface GoldResult {
  readonly report: AssetReport;
  readonly fault: Fault | null;
}

/**
 * Makes the dataset folder under `gold/` from the silver files and publishes it with one commit. When
 * the Hub fails, the folder is complete all the same and the next run publishes it.
 */
export async function materialiseGold(pipeline: Pipeline, control: Control, runId: string): Promise<GoldResult> {
  const { ports, lake, settings } = pipeline;
  control.onProgress({ type: 'step', runId, asset: 'gold', detail: settings.hub?.repo ?? 'folder' });
  const manifest = await ports.store.read('wholeManifest', () => wholeManifest());
  const dataset = await makeDataset(pipeline, manifest);
  writeDataset(ports.files, lake.gold, dataset);
  if (settings.hub === null) return { report: reportOf(manifest, 'complete'), fault: null };
  try {
    const { result, head, filesChanged } = await publishDataset({ ...ports, random: ports.random.fork('hub') }, settings.hub, dataset, control.signal);
    ports.log.info(`${settings.hub.repo} ${result}`, { run: runId, head, filesChanged });
    return { report: reportOf(manifest, 'complete'), fault: null };
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    return { report: reportOf(manifest, 'failed'), fault: error };
  }
}

async function makeDataset(pipeline: Pipeline, manifest: readonly ManifestEntry[]): Promise<GoldFile[]> {
  const { ports, lake, settings } = pipeline;
  const missing = new Map<string, number>();
  for (const entry of manifest) {
    for (const span of entry.symbols) {
      const days = daysBetween(dayOf(span.firstOpenMs), dayOf(span.lastOpenMs));
      const range = { fromMs: span.firstOpenMs, toMs: dayRange(days.at(-1) ?? '').toMs };
      const [account] = await accountOf(pipeline, { range, markets: new Map([[entry.exchange, [span.symbol]]]), intervals: [entry.interval] });
      const lacking = account?.gaps.reduce((sum, gap) => sum + candlesIn(gap, entry.interval), 0) ?? 0;
      const key = `${entry.exchange} ${span.symbol} ${entry.interval}`;
      missing.set(key, (missing.get(key) ?? 0) + lacking);
    }
  }
  return datasetFiles({ repo: settings.hub?.repo ?? null, manifest, missing, read: (entry) => ports.files.read(lake.at(entry.path)) });
}

function reportOf(manifest: readonly ManifestEntry[], outcome: 'complete' | 'failed'): AssetReport {
  const rows = manifest.reduce((sum, entry) => sum + entry.rowsOut, 0);
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
    symbols_ok: new Set(manifest.flatMap((entry) => entry.symbols.map((span) => `${entry.exchange} ${span.symbol}`))).size,
    symbols_failed: 0,
    errors: {},
  };
}
