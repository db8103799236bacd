import { listRuns, unretriedRuns, type Run } from '../../state/runs.ts';
import type { Sample } from '../../metrics/exposition.ts';
import { thresholdRule } from '../../metrics/rules.ts';
import { plannedRetryOf } from './run-retries.ts';
import { takesOver, unhealed } from './healed-runs.ts';
import type { Pipeline } from '../core/pipeline.ts';

/** Newest runs among which one may take over the work of a failed run. */
const LATER_RUNS_MAX = 200;

/**
 * Counts the final failures of the last hour for each asset of a scheduled run. A failure is final when no retry is
 * left or would help, its candles are still missing, and no current or planned run requests all of them.
 * `runsOfDay` are the runs that ended within a day; each of their assets gets a value, 0 included.
 * An exchange that is down causes no final failure: its newest run always has retries left.
 */
export async function finalFailures(pipeline: Pipeline, runsOfDay: readonly Run[]): Promise<readonly Sample[]> {
  const { store, clock } = pipeline.ports;
  const nowMs = clock.nowMs();
  const { unretried, recent } = await store.read(function* finalFailures() {
    return {
      unretried: yield* unretriedRuns(nowMs - thresholdRule('RULE_FAILED_RUNS').windowMs),
      recent: yield* listRuns(LATER_RUNS_MAX),
    };
  });
  const byId = new Map(runsOfDay.map((run) => [run.id, run]));
  const failed = unretried.filter((run) => run.outcome === 'failed' && isScheduled(run, byId));
  const isRetried = (run: Run): boolean => typeof plannedRetryOf(run, nowMs) === 'object';
  const successors = [...recent.filter(({ status }) => status !== 'finished'), ...unretried.filter(isRetried)];
  const isTakenOver = (run: Run): boolean =>
    plannedRetryOf(run, nowMs) === 'used-up' && successors.some((one) => takesOver(one, run));
  const final = await unhealed(
    pipeline,
    failed.filter((run) => !isRetried(run) && !isTakenOver(run)),
  );

  const counts = new Map(
    runsOfDay.filter((run) => isScheduled(run, byId)).flatMap(({ assets }) => assets.map(({ asset }) => [asset, 0])),
  );
  for (const { asset } of final.flatMap(({ assets }) => assets.filter(({ outcome }) => outcome === 'failed')))
    counts.set(asset, (counts.get(asset) ?? 0) + 1);
  return [...counts].map(([asset, value]) => ({ name: 'pipeline_final_failures', labels: { asset }, value }));
}

/** Started by the schedule, or a retry of such a run. */
function isScheduled(run: Run, byId: ReadonlyMap<string, Run>): boolean {
  const retried = byId.get(run.tags['retry_of'] ?? '');
  return retried === undefined ? run.trigger === 'schedule' : isScheduled(retried, byId);
}
