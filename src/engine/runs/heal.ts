import { cellsToHeal, incompleteCells, pendingInLedger } from '../../state/cells.ts';
import { retryKey, runOfKey, unretriedRuns, type Run } from '../../state/runs.ts';
import { planHealing } from '../recovery/healing-plan.ts';
import { retriesDue, retryCountOf, type RetryView } from '../recovery/run-retries.ts';
import { RUN_RETRY_LOOKBACK_MS } from '../../errors/schedule.ts';
import { exchangeOfAsset } from '../../domain/assets.ts';
import { crashedAmong, endCrashes, resolveCrash } from '../recovery/crashed-runs.ts';
import { worstEnding } from '../core/ending.ts';
import { unhealed } from '../recovery/healed-runs.ts';
import { executeAll, type PlannedRun } from './materialise.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { openingTimes, type OpeningTimes } from '../core/exchanges.ts';
import type { Control, WorkResult } from '../core/work.ts';
import type { RunRequest } from '../../state/run-request.ts';

/** Cells considered by one call of `heal`. */
const CELLS_MAX = 10_000;

/** Which of our own waits are kept: all of them, or none with `heal --now`. */
export type RecoveryOptions = Pick<RetryView, 'waitPolicy'>;

/**
 * Heals once: ends runs whose process died, retries failed runs and runs that left candles of an open day
 * behind, then requests every cell whose next attempt is due. `pending` counts the whole ledger; the ending is
 * that of these runs only.
 */
export async function heal(pipeline: Pipeline, options: RecoveryOptions, control: Control): Promise<WorkResult> {
  const { store, clock } = pipeline.ports;
  await endCrashes(pipeline);
  const retried = await executeAll(pipeline, await planRetries(pipeline, options), control);
  const healed = await executeAll(pipeline, await planCells(pipeline, options), control);
  if ((await openFailures(pipeline, crashedAmong)).length === 0) await resolveCrash(pipeline);
  const ending = worstEnding([retried.ending, healed.ending]);
  return {
    runs: [...retried.runs, ...healed.runs],
    ending,
    error: ending === retried.ending ? retried.error : healed.error,
    ...(await store.read(pendingInLedger, clock.nowMs())),
  };
}

async function planRetries(pipeline: Pipeline, { waitPolicy }: RecoveryOptions): Promise<PlannedRun[]> {
  const nowMs = pipeline.ports.clock.nowMs();
  const due = await openFailures(pipeline, (runs) => retriesDue(runs, { nowMs, waitPolicy }));
  const opensAtMs = await openingTimes(pipeline.venues);
  return due
    .filter((run) => !isHeldBack(run, opensAtMs))
    .map((run) => retryOf(run, run.outcome === 'failed' ? 'holes' : 'all'));
}

/** True while every exchange that failed is closed: a retry now would be wasted. */
function isHeldBack({ assets }: Run, opensAtMs: OpeningTimes): boolean {
  const failed = assets
    .filter(({ errors }) => Object.keys(errors).length > 0)
    .flatMap(({ asset }) => exchangeOfAsset(asset) ?? []);
  return failed.length > 0 && failed.every((exchange) => opensAtMs.has(exchange));
}

/** Recent incomplete runs that `wanted` selects, that have no retry yet and whose work is not complete. */
async function openFailures(
  pipeline: Pipeline,
  wanted: (failures: readonly Run[]) => readonly Run[],
): Promise<readonly Run[]> {
  const { store, clock } = pipeline.ports;
  return unhealed(pipeline, wanted(await store.read(unretriedRuns, clock.nowMs() - RUN_RETRY_LOOKBACK_MS)));
}

/** Retries one run on request. Recovery does not retry it again unless this retry fails too. */
export async function retryRun(pipeline: Pipeline, run: Run, control: Control): Promise<WorkResult> {
  const { key: _taken, ...again } = retryOf(run, 'holes');
  const isFirst = (await pipeline.ports.store.read(runOfKey, retryKey(run.id))) === null;
  return executeAll(pipeline, [isFirst ? retryOf(run, 'holes') : again], control);
}

/** The request of a run, for what is still missing. Its tags name the run and count the retries. */
function retryOf(run: Run, waitPolicy: RunRequest['waitPolicy']): PlannedRun {
  const { markets, assets } = run.request;
  const days = { start: run.partition, end: run.partitionEnd };
  return {
    interval: run.interval,
    days,
    key: retryKey(run.id),
    work: {
      days,
      markets: new Map(markets),
      intervals: [run.interval],
      selection: 'missing',
      waitPolicy,
      assets,
      trigger: 'retry',
      tags: { ...run.tags, retry_of: run.id, retry_count: String(retryCountOf(run) + 1) },
    },
  };
}

/** Every cell whose next attempt is due; with `heal --now`, every incomplete one. */
async function planCells(pipeline: Pipeline, { waitPolicy }: RecoveryOptions): Promise<PlannedRun[]> {
  const { store, clock } = pipeline.ports;
  const candidates = waitPolicy === 'all' ? cellsToHeal : incompleteCells;
  const cells = await store.read(candidates, clock.nowMs(), CELLS_MAX);
  return planHealing(cells).map(
    ({ interval, start, end, markets }): PlannedRun => ({
      interval,
      days: { start, end },
      work: {
        days: { start, end },
        markets,
        intervals: [interval],
        selection: 'failed',
        waitPolicy,
        assets: ['bronze', 'silver', ...(pipeline.settings.hub === null ? [] : ['gold' as const])],
        trigger: 'heal',
        tags: {},
      },
    }),
  );
}
