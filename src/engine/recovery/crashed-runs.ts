import type { Operation } from '../../platform/ports/store.ts';
import { raiseAlert, resolveAlert } from '../../alerting/model/alerts.ts';
import type { AlertEvent } from '../../alerting/model/alert.ts';
import { alertLevel, nextStep } from '../../alerting/model/levels.ts';
import { endCrashedRuns } from '../../state/crashes.ts';
import { readRun, type Run } from '../../state/runs.ts';
import { plannedRetryOf } from './run-retries.ts';
import { forecastOf } from './recovery-forecast.ts';
import type { Pipeline } from '../core/pipeline.ts';

/** A process that dies ends all of its runs: one cause. */
const CAUSE = { exchange: null, code: 'RUN_CRASHED', asset: null } as const;

/** Ends every run whose process is gone, and raises the alert in the same transaction. */
export async function endCrashes({ ports, dispatcher, settings }: Pipeline): Promise<void> {
  const nowMs = ports.clock.nowMs();
  const crashed = await ports.store.transact(function* endCrashedRunsAndAlert() {
    const runs: Run[] = [];
    for (const id of yield* endCrashedRuns(nowMs, ports.processes)) runs.push(...(yield* theRun(id)));
    const event = crashOf(runs, new Set(settings.alerts.criticalAssets), nowMs);
    if (event !== null) yield* raiseAlert(event, { nowMs, redact: dispatcher.redact });
    return runs;
  });
  for (const { id } of crashed)
    ports.log.warn(`run ${id} ended with its process; everything it stored is kept`, {
      run: id,
      code: CAUSE.code,
    });
}

function* theRun(id: string): Operation<readonly Run[]> {
  const run = yield* readRun(id);
  return run === null ? [] : [run];
}

/** Null when no run crashed. */
function crashOf(runs: readonly Run[], criticalAssets: ReadonlySet<string>, nowMs: number): AlertEvent | null {
  const run = runs.at(-1);
  if (run === undefined) return null;
  const forecast = forecastOf(CAUSE, {
    firedAtMs: null,
    nextAttemptAtMs: null,
    retry: plannedRetryOf(run, nowMs),
    nowMs,
  });
  return {
    ...CAUSE,
    scope: 'asset',
    level: alertLevel({ code: CAUSE.code, asset: '', scope: 'asset' }, forecast, criticalAssets),
    summary: `${crashedText(run, runs.length)} ended with the process: killed, out of memory, or without power`,
    safe: 'every response and every file that was written before; no candle is half stored',
    next: nextStep(forecast),
    command: `candlekeep runs show ${run.id}`,
    runId: run.id,
    affected: { total: runs.length, worst: runs.slice(0, RUNS_NAMED_MAX).map(({ id }) => id) },
    tags: run.tags,
  };
}
const RUNS_NAMED_MAX = 5;

const crashedText = ({ id, partition, partitionEnd }: Run, total: number): string =>
  total === 1 ? `${id} (${partition} to ${partitionEnd})` : `${total} runs`;

export const crashedAmong = (runs: readonly Run[]): readonly Run[] =>
  runs.filter(({ error }) => error?.code === CAUSE.code);

/** Resolves the alert once none of the crashed runs has work left. */
export const resolveCrash = ({ ports, dispatcher }: Pipeline): Promise<boolean> =>
  ports.store.transact(resolveAlert, CAUSE, 'the unfinished work of these runs is done, or has an alert of its own', {
    nowMs: ports.clock.nowMs(),
    redact: dispatcher.redact,
  });
