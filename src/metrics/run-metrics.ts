import { exchangeOfAsset, SILVER_ASSET } from '../domain/assets.ts';
import { RUN_OUTCOMES, type Run, type RunEnd } from '../state/runs.ts';
import type { Sample } from './exposition.ts';

export interface RunMetrics {
  readonly counts: readonly Sample[];
  readonly gauges: readonly Sample[];
  readonly duration: Sample;
}

/** The metrics that the end of a run adds, written in its transaction. */
export const runMetrics = (
  { trigger }: Pick<Run, 'trigger'>,
  { outcome, assets }: RunEnd,
  durationMs: number,
): RunMetrics => ({
  counts: [
    ...assets.map(
      (report): Sample => ({
        name: 'pipeline_runs_total',
        labels: { asset: report.asset, outcome: report.outcome, trigger },
        value: 1,
      }),
    ),
    ...(trigger === 'heal' || trigger === 'retry'
      ? [{ name: 'pipeline_heal_attempts_total', labels: { outcome }, value: 1 } as const]
      : []),
    ...assets
      .filter(({ asset }) => asset === SILVER_ASSET)
      .map((report): Sample => ({ name: 'pipeline_rows_total', labels: {}, value: report.input_rows })),
    ...assets
      .flatMap(({ removed_by_rule = {} }) => Object.entries(removed_by_rule))
      .map(([rule, rows]): Sample => ({ name: 'pipeline_rows_removed_total', labels: { rule }, value: rows })),
  ],
  gauges: assets.flatMap(({ asset, symbols_ok, symbols_failed }): Sample[] => {
    const labels = { exchange: exchangeOfAsset(asset) ?? '', asset };
    return [
      { name: 'pipeline_symbols', labels: { ...labels, state: 'ok' }, value: symbols_ok },
      { name: 'pipeline_symbols', labels: { ...labels, state: 'failed' }, value: symbols_failed },
    ];
  }),
  duration: { name: 'pipeline_run_duration_seconds', labels: { trigger }, value: durationMs / 1_000 },
});

/**
 * Zero counters of an asset before its first run: `increase()` misses the first value of a series that starts above 0.
 */
export const untouchedCounts = (asset: string): Sample[] =>
  RUN_OUTCOMES.map((outcome) => ({
    name: 'pipeline_runs_total',
    labels: { asset, outcome, trigger: 'schedule' },
    value: 0,
  }));
