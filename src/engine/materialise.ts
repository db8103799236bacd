import type { Interval } from '../market/interval.ts';
import { dayRange } from '../market/partition.ts';
import { cellsToHeal, incompleteCells } from '../faults/ledger/cells.ts';
import { createRun } from '../faults/ledger/runs.ts';
import { planHealing } from '../faults/recovery/healing.ts';
import { chunksOf, type DayRange } from './chunks.ts';
import { EXIT, worstExit } from './exit-code.ts';
import type { Pipeline } from './pipeline.ts';
import { accountOf, totalOf } from './range-account.ts';
import { executeRun, type RunResult } from './run-execution.ts';
import { venueOf } from './venues.ts';
import type { Control, RunRequest, WorkRequest, WorkResult } from './work.ts';

/** Cells one healing turn looks at. */
const HEAL_CELLS_MAX = 10_000;

/** One run to be: an interval and a chunk of days of a request. */
interface Planned {
  readonly work: WorkRequest;
  readonly interval: Interval;
  readonly days: DayRange;
}

/**
 * Makes one run per interval and chunk of days and executes them one after another, newest days
 * first. A venue without candles of an interval is left out there. A run that fails does not keep the
 * next from starting, unless what failed concerns them all.
 */
export function materialise(pipeline: Pipeline, work: WorkRequest, control: Control): Promise<WorkResult> {
  const planned = work.intervals.flatMap((interval) => {
    const own = { ...work, markets: new Map([...work.markets].filter(([exchange]) => venueOf(pipeline.venues, exchange).adapter.intervals.includes(interval))) };
    return own.markets.size === 0 ? [] : chunksOf(work.days, interval).toReversed().map((days): Planned => ({ work: own, interval, days }));
  });
  return executeAll(pipeline, planned, control);
}

/** One turn of cell healing: asks again for every cell whose appointment has come, or, by hand, for every incomplete one. */
export async function heal(pipeline: Pipeline, options: { readonly keptWaits: 'all' | 'none' }, control: Control): Promise<WorkResult> {
  const { store, clock } = pipeline.ports;
  const candidates = options.keptWaits === 'all' ? cellsToHeal : incompleteCells;
  const cells = await store.read('cellsToHeal', () => candidates(clock.nowMs(), HEAL_CELLS_MAX));
  const planned = planHealing(cells).map(({ interval, start, end, markets }): Planned => ({
    interval,
    days: { start, end },
    work: {
      days: { start, end },
      markets,
      intervals: [interval],
      selection: 'failed',
      keptWaits: options.keptWaits,
      assets: ['bronze', 'silver', ...(pipeline.settings.hub === null ? [] : ['gold' as const])],
      trigger: 'heal',
      tags: {},
    },
  }));
  return executeAll(pipeline, planned, control);
}

async function executeAll(pipeline: Pipeline, planned: readonly Planned[], control: Control): Promise<WorkResult> {
  const results: RunResult[] = [];
  for (const [at, one] of planned.entries()) {
    const runId = await queueRun(pipeline, one);
    const result = await executeRun(pipeline, runId, { ...control, position: { run: at + 1, runs: planned.length } });
    results.push(result);
    if (result.endsWork) break;
  }
  const account = await accountOfAll(pipeline, planned);
  const exit = worstExit([...results.map((result) => result.exit), ...(account.pending > 0 ? [EXIT.partial] : [])]);
  return {
    runs: results.map((result) => result.run),
    ...account,
    exit,
    error: exit === EXIT.done || exit === EXIT.partial ? null : (results.find((result) => result.exit === exit)?.error ?? null),
  };
}

async function queueRun({ ports }: Pipeline, { work, interval, days }: Planned): Promise<string> {
  const id = ports.ids.next('run');
  const request: RunRequest = { markets: [...work.markets], selection: work.selection, keptWaits: work.keptWaits, assets: work.assets };
  const run = { id, interval, partition: days.start, partitionEnd: days.end, trigger: work.trigger, tags: work.tags, request: JSON.stringify(request) };
  await ports.store.transact('createRun', () => createRun(run, ports.clock.nowMs()));
  return id;
}

/** What is still pending in the asked range, and the earliest appointment. */
async function accountOfAll(pipeline: Pipeline, planned: readonly Planned[]): Promise<Pick<WorkResult, 'pending' | 'nextAttemptAtMs'>> {
  let pending = 0;
  let nextAttemptAtMs: number | null = null;
  for (const { work, interval, days } of planned) {
    const range = { fromMs: dayRange(days.start).fromMs, toMs: dayRange(days.end).toMs };
    const accounts = await accountOf(pipeline, { range, markets: work.markets, intervals: [interval] });
    pending += totalOf(accounts).pending;
    const appointments = accounts.flatMap((account) => account.gaps.flatMap((gap) => (gap.state === 'pending' && gap.nextAttemptAtMs !== null ? [gap.nextAttemptAtMs] : [])));
    nextAttemptAtMs = [nextAttemptAtMs ?? Infinity, ...appointments].reduce((a, b) => Math.min(a, b), Infinity);
    if (nextAttemptAtMs === Infinity) nextAttemptAtMs = null;
  }
  return { pending, nextAttemptAtMs };
}
