import type { Operation } from '../kernel/store.ts';
import { intervalMs } from '../market/interval.ts';
import { dayRange } from '../market/partition.ts';
import { subtractRanges } from '../market/range.ts';
import { coverageOf } from '../data/bronze/page-index.ts';
import { exchangeOfAsset } from '../faults/ledger/asset-names.ts';
import type { AssetReport, Run } from '../faults/ledger/runs.ts';
import { firstCandleOf } from '../faults/ledger/symbols.ts';
import { ruleOf } from '../faults/taxonomy/table.ts';

/** A run as far as it tells what had closed when it began. */
type BegunRun = Pick<Run, 'interval' | 'partitionEnd' | 'startedAtMs' | 'createdAtMs'>;

/** Of a run whose process died, the end is when that was noticed: what it was to bring had closed when it began. */
export function closedWhenBegun({ interval, startedAtMs, createdAtMs }: BegunRun): number {
  const stepMs = intervalMs(interval);
  return Math.floor((startedAtMs ?? createdAtMs) / stepMs) * stepMs;
}

/**
 * True when a fault that may pass kept candles of the run's last day away, and that day is still open: no cell of
 * theirs has an appointment.
 */
export function* lacksOpenCandles(
  run: BegunRun,
  { asset, errors }: Pick<AssetReport, 'asset' | 'errors'>,
  nowMs: number,
): Operation<boolean> {
  const exchange = exchangeOfAsset(asset);
  const day = dayRange(run.partitionEnd);
  if (exchange === null || nowMs >= day.toMs) return false;
  for (const [symbol, code] of Object.entries(errors)) {
    const series = { exchange, symbol, interval: run.interval };
    if (ruleOf(code).kind !== 'transient') continue;
    const closed = {
      fromMs: Math.max(day.fromMs, (yield* firstCandleOf(series))?.openMs ?? day.fromMs),
      toMs: closedWhenBegun(run),
    };
    if (subtractRanges([closed], yield* coverageOf(series, day)).length > 0) return true;
  }
  return false;
}
