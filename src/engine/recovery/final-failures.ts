import { listRuns, unretriedRuns, type Run } from '../../state/runs.ts';
import type { Sample } from '../../metrics/exposition.ts';
import { thresholdRule } from '../../metrics/rules.ts';
import { plannedRetryOf } from './run-retries.ts';
import { takesOver, unhealed } from './healed-runs.ts';
import type { Pipeline } from '../core/pipeline.ts';

/** Runs looked through for one that takes over. */
const LATER_RUNS_MAX = 200;

/**
 * How many scheduled runs of each asset failed finally within the last hour: no retry of them is left or
 * would help, what they lack is still not there, and no run that is under way or will be run again asks
 * for all of it. Every asset of a scheduled run of `runsOfDay`, the runs that ended within a day, has a
 * value. An exchange that answers nobody makes none, however short its candles are: the newest run has
 * its retries still before it.
 */
export async function finalFailures(pipeline: Pipeline, runsOfDay: readonly Run[]): Promise<readonly Sample[]> {
  const { store, clock } = pipeline.ports;
  const nowMs = clock.nowMs();
  const { unretried, recent } = await store.read('finalFailures', function* () {
    return {
      unretried: yield* unretriedRuns(nowMs - thresholdRule('RULE_FAILED_RUNS').windowMs),
      recent: yield* listRuns(LATER_RUNS_MAX),
    };
  });
  const byId = new Map(runsOfDay.map((run) => [run.id, run]));
  const failed = unretried.filter((run) => run.outcome === 'failed' && isScheduled(run, byId));
  const isRetried = (run: Run): boolean => typeof plannedRetryOf(run, nowMs) === 'object';
  const takers = [...recent.filter(({ status }) => status !== 'finished'), ...unretried.filter(isRetried)];
  const isTakenOver = (run: Run): boolean =>
    plannedRetryOf(run, nowMs) === 'used-up' && takers.some((one) => takesOver(one, run));
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

/** Begun by the schedule, itself or the run it retries. */
function isScheduled(run: Run, byId: ReadonlyMap<string, Run>): boolean {
  const retried = byId.get(run.tags['retry_of'] ?? '');
  return retried === undefined ? run.trigger === 'schedule' : isScheduled(retried, byId);
}
