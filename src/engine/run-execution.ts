import type { Exchange } from '../market/exchange.ts';
import { daysBetween } from '../market/partition.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import { runLease, takeLeases } from '../faults/ledger/leases.ts';
import { beginRun, readRun, type Fence, type Run } from '../faults/ledger/runs.ts';
import { materialiseGold } from './gold-step.ts';
import { keepingLeases } from './lease-keeping.ts';
import type { Pipeline } from './pipeline.ts';
import { endRun } from './run-end.ts';
import { stoppedBy, verdictOf, type RunVerdict } from './run-verdict.ts';
import { silverReport } from './asset-reports.ts';
import { openingTimes } from './venues.ts';
import { materialiseVenue } from './venue-turn.ts';
import type { Control, RunRequest } from './work.ts';

export interface RunResult extends RunVerdict {
  readonly run: Run;
}

export interface RunControl extends Control {
  readonly position: { readonly run: number; readonly runs: number };
  /** Called once every venue was asked for all of it, answered or not: the next run may begin to ask. */
  readonly onAsked: () => void;
  /** Resolves when the run before has ended. Only then are files written. */
  readonly previousEnded: () => Promise<void>;
}

/**
 * Executes a queued (or crashed) run to its end. Safe to call again for the same run: what bronze
 * holds is not asked again, files are rebuilt to the same bytes, and only the owner of the newest
 * fence writes. What can happen to a run is told in the result, not thrown.
 */
export async function executeRun(pipeline: Pipeline, runId: string, control: RunControl): Promise<RunResult> {
  const { ports } = pipeline;
  const { host, pid } = ports.processes.self;
  const fence = await ports.store.transact('beginRun', function* () {
    const nowMs = ports.clock.nowMs();
    const begun = yield* beginRun(runId, `${host}:${pid}`, nowMs);
    if (begun !== null) yield* takeLeases({ names: [runLease(runId)], owner: runId, nowMs }, ports.processes);
    return begun;
  });
  const run = await readWhole(pipeline, runId);
  if (fence === null) throw new RangeError(`run ${runId} is finished already`);
  const verdict = await materialiseAssets(pipeline, { run, fence }, control).catch(stoppedBy);
  const opensAtMs = await openingTimes(pipeline.venues);
  await ports.store.transact('endRun', () => endRun({ run, fence, end: verdict, opensAtMs }, pipeline.settings, { nowMs: ports.clock.nowMs(), scrub: pipeline.desk.scrub }));
  return { ...verdict, run: await readWhole(pipeline, runId) };
}

async function readWhole({ ports }: Pipeline, runId: string): Promise<Run> {
  const run = await ports.store.read('readRun', () => readRun(runId));
  if (run === null) throw new RangeError(`there is no run ${runId}`);
  return run;
}

function materialiseAssets(pipeline: Pipeline, { run, fence }: { run: Run; fence: Fence }, control: RunControl): Promise<RunVerdict> {
  return keepingLeases(pipeline.ports, { owner: run.id, signal: control.signal }, async (signal) => {
    const request = JSON.parse(run.request) as RunRequest;
    const days = daysBetween(run.partition, run.partitionEnd);
    const asking = new Set(request.markets.map(([exchange]) => exchange));
    const onAsked = (exchange: Exchange) => (): void => {
      if (asking.delete(exchange) && asking.size === 0) control.onAsked();
    };
    const turn = (exchange: Exchange, symbols: readonly MarketSymbol[]): ReturnType<typeof materialiseVenue> =>
      materialiseVenue(pipeline, { run, request, fence, days, exchange, symbols }, { ...control, signal, onAsked: onAsked(exchange) });
    const venues = await Promise.all(request.markets.map(([exchange, symbols]) => turn(exchange, symbols)));
    const gold = request.assets.includes('gold') ? await materialiseGold(pipeline, { ...control, signal }, run.id) : null;
    return verdictOf({
      assets: [
        ...venues.map((venue) => venue.bronze),
        ...(request.assets.includes('silver') ? [silverReport(venues.flatMap((venue) => venue.silver), venues.map((venue) => venue.bronze))] : []),
        ...(gold === null ? [] : [gold.report]),
      ],
      faults: [...venues.flatMap((venue) => venue.faults), ...(gold?.fault ? [gold.fault] : [])],
      wasAnswered: venues.some((venue) => venue.wasAnswered),
    });
  });
}
