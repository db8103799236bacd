import { RUN_OUTCOMES, type AssetReport, type RunOutcome, type RunTrigger } from '../ledger/runs.ts';
import type { Sample } from './exposition.ts';

/** What metrics need to know of a run that ended. */
export interface EndedRun {
  readonly trigger: RunTrigger;
  readonly outcome: RunOutcome;
  readonly assets: readonly AssetReport[];
  /** Delivered candles that silver left out, by the rule they broke. */
  readonly removedByRule: Readonly<Record<string, number>>;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
}

export interface RunMetrics {
  readonly counts: readonly Sample[];
  readonly gauges: readonly Sample[];
  readonly duration: Sample;
}

/** `bronze_binance_ohlcv` -> `binance`; empty for an asset of every exchange. */
const exchangeOf = (asset: string): string => /^bronze_(.+)_ohlcv$/.exec(asset)?.[1] ?? '';

export const runMetrics = ({ trigger, outcome, assets, removedByRule, startedAtMs, finishedAtMs }: EndedRun): RunMetrics => ({
  counts: [
    ...assets.map((report): Sample => ({ name: 'pipeline_runs_total', labels: { asset: report.asset, outcome: report.outcome, trigger }, value: 1 })),
    ...(trigger === 'heal' || trigger === 'retry' ? [{ name: 'pipeline_heal_attempts_total', labels: { outcome }, value: 1 } as const] : []),
    ...assets.filter(({ asset }) => asset.startsWith('silver_')).map((report): Sample => ({ name: 'pipeline_rows_total', labels: {}, value: report.input_rows })),
    ...Object.entries(removedByRule).map(([rule, rows]): Sample => ({ name: 'pipeline_rows_removed_total', labels: { rule }, value: rows })),
  ],
  gauges: assets.flatMap(({ asset, symbols_ok, symbols_failed }): Sample[] => [
    { name: 'pipeline_symbols', labels: { exchange: exchangeOf(asset), asset, state: 'ok' }, value: symbols_ok },
    { name: 'pipeline_symbols', labels: { exchange: exchangeOf(asset), asset, state: 'failed' }, value: symbols_failed },
  ]),
  duration: { name: 'pipeline_run_duration_seconds', labels: { trigger }, value: (finishedAtMs - startedAtMs) / 1_000 },
});

/** Counters of an asset before its first run: `increase()` does not see the first value of a series that begins above 0. */
export const untouchedCounts = (asset: string): Sample[] =>
  RUN_OUTCOMES.map((outcome) => ({ name: 'pipeline_runs_total', labels: { asset, outcome, trigger: 'schedule' }, value: 0 }));
