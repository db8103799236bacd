import type { FaultRecord } from '../faults/taxonomy/records.ts';
import { toRecord } from '../faults/taxonomy/records.ts';
import { createRun, listRuns, readRun, type Run } from '../faults/ledger/runs.ts';
import { cellsToHeal, incompleteCells } from '../faults/ledger/cells.ts';
import { planHealing } from '../faults/recovery/healing.ts';
import { judge } from '../faults/taxonomy/judge.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import type { Exchange } from '../market/exchange.ts';
import type { Interval } from '../market/interval.ts';
import { chunksOf, type DayRange } from './chunks.ts';
import { EXIT, worstExit, type ExitCode } from './exit-code.ts';
import type { Pipeline } from './pipeline.ts';
import { executeRun, type RunResult } from './run-execution.ts';
import type { Control, WorkRequest, WorkResult } from './work.ts';

/** Cells one healing turn looks at. */
const HEAL_CELLS_MAX = 10_000;

/**
 * Makes one run per interval and chunk of days and executes them one after another, newest chunk
 * first. A run that fails does not keep the next from starting, unless what failed concerns them all.
 */
export async function materialise(pipeline: Pipeline, work: WorkRequest, control: Control): Promise<WorkResult> {
  const chunks = work.intervals.flatMap((interval) => chunksOf(work.days, interval).toReversed().map((days) => ({ interval, days })));
  const results: RunResult[] = [];
  for (const [at, chunk] of chunks.entries()) {
    const runId = await queueRun(pipeline, work, chunk);
    const result = await executeRun(pipeline, runId, { ...control, position: { run: at + 1, runs: chunks.length } });
    results.push(result);
    if (result.endsWork) break;
  }
  return resultOf(results);
}

/** One turn of cell healing: asks again for every cell whose appointment has come (or, by hand, for every incomplete one). */
export async function heal(pipeline: Pipeline, options: { readonly keptWaits: 'all' | 'none' }, control: Control): Promise<WorkResult> {
  const { store, clock } = pipeline.ports;
  const cells = await store.read('cellsToHeal', () => (options.keptWaits === 'all' ? cellsToHeal : incompleteCells)(clock.nowMs(), HEAL_CELLS_MAX));
  const plans = planHealing(cells);
  const results: RunResult[] = [];
  for (const [at, plan] of plans.entries()) {
    const days = { start: plan.start, end: plan.end };
    const work: WorkRequest = {
      days, markets: plan.markets, intervals: [plan.interval], selection: 'failed', keptWaits: options.keptWaits,
      assets: ['bronze', 'silver', ...(pipeline.settings.hub === null ? [] : ['gold' as const])], trigger: 'heal', tags: {},
    };
    const runId = await queueRun(pipeline, work, { interval: plan.interval, days });
    const result = await executeRun(pipeline, runId, { ...control, position: { run: at + 1, runs: plans.length } });
    results.push(result);
    if (result.endsWork) break;
  }
  return resultOf(results);
}
