import { DAY_MS } from '../../domain/interval.ts';
import { exchangeOfAsset, SILVER_ASSET } from '../../domain/assets.ts';
import { runsFinishedSince, type Run } from '../../state/runs.ts';
import { latenessMs, type Watermark } from '../../metrics/ledger-metrics.ts';
import { quantile } from '../../metrics/rule-evaluation.ts';
import type { Measurement } from '../../metrics/rule-states.ts';
import type { Sample } from '../../metrics/exposition.ts';
import { storedSamples } from '../../metrics/values.ts';
import { finalFailures } from '../recovery/final-failures.ts';
import type { Pipeline } from '../core/pipeline.ts';
import type { Markets } from '../core/symbol-resolution.ts';
import { watermarksOf } from './watermarks.ts';

/** The input of the rules. */
export interface MonitoredState {
  /** Finished in the last 24 hours, oldest first. */
  readonly runs: readonly Run[];
  readonly samples: readonly Sample[];
  readonly watermarks: readonly Watermark[];
  readonly nowMs: number;
}

/** Measures every rule for each of its subjects. */
export async function measure(pipeline: Pipeline, markets: Markets): Promise<readonly Measurement[]> {
  const { store, clock } = pipeline.ports;
  const nowMs = clock.nowMs();
  const runs = await store.read(runsFinishedSince, nowMs - DAY_MS);
  const { samples: stored } = await store.read(storedSamples);
  const samples = [...stored, ...(await finalFailures(pipeline, runs))];
  return measurementsOf({ runs, samples, watermarks: await watermarksOf(pipeline, markets), nowMs });
}

/** Pure. Computes the same values as the Prometheus rules do from the metrics. */
export const measurementsOf = (seen: MonitoredState): Measurement[] => [
  ...failedRuns(seen),
  ...failedSymbols(seen),
  rowsRemoved(seen),
  latency(seen),
  ...freshness(seen),
];

const failedRuns = ({ samples }: MonitoredState): Measurement[] =>
  samples
    .filter(({ name }) => name === 'pipeline_final_failures')
    .map(({ labels, value }) => ({ rule: 'RULE_FAILED_RUNS', subject: labels['asset'] ?? '', value }));

function failedSymbols({ samples }: MonitoredState): Measurement[] {
  const symbols = samples.filter(
    ({ name, labels }) => name === 'pipeline_symbols' && exchangeOfAsset(labels['asset'] ?? '') !== null,
  );
  return [...Map.groupBy(symbols, ({ labels }) => labels['asset'] ?? '')].map(([subject, own]) => {
    const all = own.reduce((sum, { value }) => sum + value, 0);
    const failed = own.filter(({ labels }) => labels['state'] === 'failed').reduce((sum, { value }) => sum + value, 0);
    return { rule: 'RULE_FAILED_SYMBOLS', subject, value: all === 0 ? null : failed / all };
  });
}

function rowsRemoved({ runs }: MonitoredState): Measurement {
  const silver = runs.flatMap(({ assets }) => assets.filter(({ asset }) => asset === SILVER_ASSET));
  const rows = silver.reduce((sum, { input_rows }) => sum + input_rows, 0);
  const removed = silver.reduce((sum, { removed_rows }) => sum + removed_rows, 0);
  return { rule: 'RULE_ROWS_REMOVED', subject: '', value: rows === 0 ? null : removed / rows };
}

function latency({ runs }: MonitoredState): Measurement {
  const durationsMs = runs.flatMap(({ trigger, startedAtMs, finishedAtMs }) =>
    trigger === 'schedule' && startedAtMs !== null && finishedAtMs !== null ? [finishedAtMs - startedAtMs] : [],
  );
  const p95Ms = quantile(durationsMs, 0.95);
  return { rule: 'RULE_LATENCY', subject: '', value: p95Ms === null ? null : p95Ms / 1_000 };
}

/** The lateness of an exchange is that of its latest interval. Unit: seconds. */
function freshness({ watermarks, nowMs }: MonitoredState): Measurement[] {
  return [...Map.groupBy(watermarks, ({ exchange }) => exchange)].map(([subject, own]) => {
    const lateMs = own.flatMap((watermark) => latenessMs(watermark, nowMs) ?? []);
    return { rule: 'RULE_FRESHNESS', subject, value: lateMs.length === 0 ? null : Math.max(...lateMs) / 1_000 };
  });
}
