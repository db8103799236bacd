import type { Operation } from '../../platform/ports/store.ts';
import { dayRange } from '../../domain/partition.ts';
import { responsesOfRun } from '../../lake/bronze/page-index.ts';
import { raiseAlert, type AlertContext } from '../../alerting/model/alerts.ts';
import type { AlertEvent } from '../../alerting/model/alert.ts';
import { resolveHealed } from '../../alerting/model/healed-causes.ts';
import { alertsOfRun } from '../../alerting/model/run-alerts.ts';
import { exchangeOfAsset } from '../../domain/assets.ts';
import { pendingBy } from '../../state/cells.ts';
import { failedRequestsOf } from '../../state/fault-log.ts';
import { finishRun, type Fence, type Run, type RunEnd } from '../../state/runs.ts';
import type { Sample } from '../../metrics/exposition.ts';
import { runMetrics, untouchedCounts } from '../../metrics/run-metrics.ts';
import { addCounts, observeDuration, setGauges } from '../../metrics/values.ts';
import { ruleOf } from '../../errors/table.ts';
import { forecastsAfter } from '../recovery/recovery-forecast.ts';
import type { Settings } from '../core/settings.ts';
import type { OpeningTimes } from '../core/exchanges.ts';

export interface EndedRun {
  readonly run: Run;
  readonly fence: Fence;
  readonly end: RunEnd;
  readonly opensAtMs: OpeningTimes;
}

type EndSettings = Pick<Settings, 'alerts' | 'recheckAfterMs'>;

/**
 * Ends a run: its outcome, the alerts it raises and those it heals, and what it counts, in one
 * transaction. Whoever is killed before has told nobody anything, whoever is killed after is heard.
 * @throws CellsLeasedError (CELLS_LEASED) when another process took the run over.
 */
export function* endRun(
  { run, fence, end, opensAtMs }: EndedRun,
  { alerts, recheckAfterMs }: EndSettings,
  moment: AlertContext,
): Operation<void> {
  const { nowMs } = moment;
  yield* finishRun(fence, end, nowMs);
  const rules = {
    criticalAssets: new Set(alerts.criticalAssets),
    forecastOf: yield* forecastsAfter({ run, end, opensAtMs }, nowMs),
  };
  const raised = [...alertsOfRun(run, end, rules), ...(yield* unexplainedHoles(run, end, nowMs - recheckAfterMs))];
  for (const event of raised) yield* raiseAlert(event, moment);
  yield* resolveHealed(
    { runId: run.id, assets: end.assets.map(({ asset }) => asset), outcome: end.outcome, raised },
    moment,
  );
  yield* countRun(run, end, nowMs);
}

/** Holes that their venue answered with twice and nothing explains, for each bronze asset of the run. */
function* unexplainedHoles(
  { id, tags }: Run,
  { assets }: RunEnd,
  missedByMs: number,
): Operation<readonly AlertEvent[]> {
  const events: AlertEvent[] = [];
  for (const { asset, outcome } of assets) {
    const exchange = exchangeOfAsset(asset);
    const holes =
      exchange === null || outcome === 'cancelled' ? null : yield* pendingBy(exchange, 'ROWS_MISSING', missedByMs);
    if (holes === null) continue;
    events.push({
      exchange,
      code: 'ROWS_MISSING',
      asset,
      scope: 'symbols',
      level: ruleOf('ROWS_MISSING').level,
      summary: `${holes.cells} ${holes.cells === 1 ? 'day' : 'days'} of ${holes.symbols} ${holes.symbols === 1 ? 'symbol' : 'symbols'} have holes that the exchange answered with twice and nothing explains`,
      safe: 'every candle that came is stored, and each answer is kept in bronze',
      next: `asked again daily, next at ${new Date(holes.nextAttemptAtMs).toISOString().slice(0, 16)}Z`,
      command: `candlekeep check-gaps --exchange ${exchange} --hours 720`,
      runId: id,
      affected: { total: holes.symbols, worst: [] },
      tags,
    });
  }
  return events;
}

function* countRun(run: Run, end: RunEnd, nowMs: number): Operation<void> {
  const { counts, gauges, duration } = runMetrics(run, end, nowMs - (run.startedAtMs ?? nowMs));
  yield* addCounts([...end.assets.flatMap(({ asset }) => untouchedCounts(asset)), ...counts]);
  yield* setGauges(gauges);
  yield* observeDuration(duration);
  yield* addCounts(yield* requestCounts(run, end));
}

/** Requests for candles: those that failed by their code, and the answers that were used. */
function* requestCounts(run: Run, { assets }: RunEnd): Operation<readonly Sample[]> {
  const sample = (exchange: string, outcome: string, value: number): Sample => ({
    name: 'pipeline_http_attempts_total',
    labels: { exchange, outcome },
    value,
  });
  const range = { fromMs: dayRange(run.partition).fromMs, toMs: dayRange(run.partitionEnd).toMs };
  const counts = (yield* failedRequestsOf(run.id)).map(({ exchange, code, count }) => sample(exchange, code, count));
  for (const exchange of assets.flatMap(({ asset }) => exchangeOfAsset(asset) ?? []))
    counts.push(sample(exchange, 'ok', yield* responsesOfRun(run.id, { exchange, interval: run.interval }, range)));
  return counts;
}
