import { cellsToHeal, incompleteCells, pendingInLedger } from '../faults/ledger/cells.ts';
import { retryKey, runOfKey, unretriedFailures, type Run } from '../faults/ledger/runs.ts';
import { planHealing } from '../faults/recovery/healing.ts';
import { retriesDue, retryCountOf, SENSOR_LOOKBACK_MS, type SensorView } from '../faults/recovery/sensor.ts';
import { crashedAmong, endCrashes, resolveCrash } from './crashed-runs.ts';
import { worstExit } from './exit-code.ts';
import { unhealed } from './healed-runs.ts';
import { executeAll, type PlannedRun } from './materialise.ts';
import type { Pipeline } from './pipeline.ts';
import type { Control, RunRequest, WorkResult } from './work.ts';

/** Cells one turn looks at. */
const CELLS_MAX = 10_000;

/** Which waits of our own a turn keeps: all of them, or, by hand, none. */
export type RecoveryOptions = Pick<SensorView, 'keptWaits'>;

/**
 * One turn of recovery: runs whose process died are ended, failed runs are run again, then every cell
 * whose appointment has come is asked again. The result tells what is pending in the whole ledger, the
 * exit only how this turn went.
 */
export async function heal(pipeline: Pipeline, options: RecoveryOptions, control: Control): Promise<WorkResult> {
  const { store, clock } = pipeline.ports;
  await endCrashes(pipeline);
  const retried = await executeAll(pipeline, await planRetries(pipeline, options), control);
  const healed = await executeAll(pipeline, await planCells(pipeline, options), control);
  if ((await openFailures(pipeline, crashedAmong)).length === 0) await resolveCrash(pipeline);
  const exit = worstExit([retried.exit, healed.exit]);
  return {
    runs: [...retried.runs, ...healed.runs],
    exit,
    error: exit === retried.exit ? retried.error : healed.error,
    ...(await store.read('pendingInLedger', () => pendingInLedger(clock.nowMs()))),
  };
}

async function planRetries(pipeline: Pipeline, { keptWaits }: RecoveryOptions): Promise<PlannedRun[]> {
  const nowMs = pipeline.ports.clock.nowMs();
  return (await openFailures(pipeline, (failures) => retriesDue(failures, { nowMs, keptWaits }))).map(retryOf);
}

/** Of the failed runs of the sensor's time that were not run again, those that are `wanted` and of which something is left to do. */
async function openFailures(pipeline: Pipeline, wanted: (failures: readonly Run[]) => readonly Run[]): Promise<readonly Run[]> {
  const { store, clock } = pipeline.ports;
  return unhealed(pipeline, wanted(await store.read('unretriedFailures', () => unretriedFailures(clock.nowMs() - SENSOR_LOOKBACK_MS))));
}

/** Runs one run again because a person asks for it. The sensor leaves it alone then, unless this retry fails as well. */
export async function retryRun(pipeline: Pipeline, run: Run, control: Control): Promise<WorkResult> {
  const { key: _taken, ...again } = retryOf(run);
  const isFirst = (await pipeline.ports.store.read('runOfKey', () => runOfKey(retryKey(run.id)))) === null;
  return executeAll(pipeline, [isFirst ? retryOf(run) : again], control);
}

/** A run's request once more, for what of it is still missing. The tags name the run and count its retries. */
function retryOf(run: Run): PlannedRun {
  const { markets, assets } = JSON.parse(run.request) as RunRequest;
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
      keptWaits: 'holes',
      assets,
      trigger: 'retry',
      tags: { ...run.tags, retry_of: run.id, retry_count: String(retryCountOf(run) + 1) },
    },
  };
}

/** Every cell whose appointment has come, or, by hand, every incomplete one. */
async function planCells(pipeline: Pipeline, { keptWaits }: RecoveryOptions): Promise<PlannedRun[]> {
  const { store, clock } = pipeline.ports;
  const candidates = keptWaits === 'all' ? cellsToHeal : incompleteCells;
  const cells = await store.read('cellsToHeal', () => candidates(clock.nowMs(), CELLS_MAX));
  return planHealing(cells).map(({ interval, start, end, markets }): PlannedRun => ({
    interval,
    days: { start, end },
    work: {
      days: { start, end },
      markets,
      intervals: [interval],
      selection: 'failed',
      keptWaits,
      assets: ['bronze', 'silver', ...(pipeline.settings.hub === null ? [] : ['gold' as const])],
      trigger: 'heal',
      tags: {},
    },
  }));
}
