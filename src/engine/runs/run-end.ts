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
 * Ends a run in one transaction: its outcome, the alerts it raises and resolves, and its metrics. After a kill
 * either all of it is stored or nothing.
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

const UNEXPLAINED = 'have holes that a second response confirmed and nothing explains';
const count = (total: number, noun: string): string => `${total} ${noun}${total === 1 ? '' : 's'}`;

/** Holes that the exchange confirmed by a second response and nothing explains, for each bronze asset of the run. */
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
      summary: `${count(holes.cells, 'day')} of ${count(holes.symbols, 'symbol')} ${UNEXPLAINED}`,
      safe: 'every received candle is stored, and every response is kept in bronze',
      next: `requested again daily, next at ${new Date(holes.nextAttemptAtMs).toISOString().slice(0, 16)}Z`,
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

/** Requests for candles: the failed ones by code, and the used responses. */
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
