import type { Operation } from '../../platform/ports/store.ts';
import { intervalMs } from '../../domain/interval.ts';
import { dayRange } from '../../domain/partition.ts';
import { subtractRanges } from '../../domain/range.ts';
import { coverageOf } from '../../lake/bronze/page-index.ts';
import { exchangeOfAsset } from '../../domain/assets.ts';
import type { AssetReport, Run } from '../../state/runs.ts';
import { firstCandleOf } from '../../state/symbols.ts';
import { ruleOf } from '../../errors/table.ts';

/** The fields of a run that determine which candles had closed at its start. */
type BegunRun = Pick<Run, 'interval' | 'partitionEnd' | 'startedAtMs' | 'createdAtMs'>;

/**
 * Close of the newest candle the run could fetch, in epoch milliseconds. Taken from the run's start: the end of a
 * crashed run is only the time at which the crash was noticed.
 */
export function closedWhenBegun({ interval, startedAtMs, createdAtMs }: BegunRun): number {
  const stepMs = intervalMs(interval);
  return Math.floor((startedAtMs ?? createdAtMs) / stepMs) * stepMs;
}

/**
 * True when a transient fault left candles of the run's last day missing and that day is still open. Cells of an open
 * day have no next attempt, so a retry of the run must fetch them.
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
