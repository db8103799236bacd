import type { Operation } from '../../platform/ports/store.ts';
import { raiseAlert, resolveAlert } from '../../alerting/model/alerts.ts';
import type { AlertEvent } from '../../alerting/model/alert.ts';
import { alertLevel, nextStep } from '../../alerting/model/levels.ts';
import { endCrashedRuns } from '../../state/crashes.ts';
import { readRun, type Run } from '../../state/runs.ts';
import { plannedRetryOf } from './run-retries.ts';
import { forecastOf } from './recovery-forecast.ts';
import type { Pipeline } from '../core/pipeline.ts';

/** Whatever ended the process ended all of its runs: one cause. */
const CAUSE = { exchange: null, code: 'RUN_CRASHED', asset: null } as const;

/** Ends every run whose process is gone and tells of it in the same transaction. */
export async function endCrashes({ ports, dispatcher: desk, settings }: Pipeline): Promise<void> {
  const nowMs = ports.clock.nowMs();
  const crashed = await ports.store.transact('endCrashedRuns', function* () {
    const runs: Run[] = [];
    for (const id of yield* endCrashedRuns(nowMs, ports.processes)) runs.push(...(yield* theRun(id)));
    const event = crashOf(runs, new Set(settings.alerts.criticalAssets), nowMs);
    if (event !== null) yield* raiseAlert(event, { nowMs, redact: desk.redact });
    return runs;
  });
  for (const { id } of crashed)
    ports.log.warn(`run ${id} was ended by the end of its process; what it stored is kept`, {
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
    summary: `${runs.length === 1 ? `${run.id} (${run.partition} to ${run.partitionEnd})` : `${runs.length} runs`} ended with the process: killed, out of memory, or without power`,
    safe: 'every answer and every file that was written before; no candle is half stored',
    next: nextStep(forecast),
    command: `candlekeep runs show ${run.id}`,
    runId: run.id,
    affected: { total: runs.length, worst: runs.slice(0, RUNS_NAMED_MAX).map(({ id }) => id) },
    tags: run.tags,
  };
}
const RUNS_NAMED_MAX = 5;

export const crashedAmong = (runs: readonly Run[]): readonly Run[] =>
  runs.filter(({ error }) => error?.code === CAUSE.code);

/** The crash is over: none of the runs it ended is left to do. */
export const resolveCrash = ({ ports, dispatcher: desk }: Pipeline): Promise<boolean> =>
  ports.store.transact('resolveCrash', () =>
    resolveAlert(CAUSE, 'what the runs left undone is done, or has an alert of its own', {
      nowMs: ports.clock.nowMs(),
      redact: desk.redact,
    }),
  );
