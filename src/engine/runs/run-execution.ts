import { daysBetween } from '../../domain/partition.ts';
import { runLease, takeLeases } from '../../state/leases.ts';
import { beginRun, readRun, type Run } from '../../state/runs.ts';
import { materialiseGold } from '../ingest/gold-step.ts';
import { withHeldLeases } from '../core/lease-keeping.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { endRun } from './run-end.ts';
import { stoppedBy, verdictOf, type RunVerdict } from '../core/run-verdict.ts';
import { silverReport } from '../ingest/asset-reports.ts';
import { openingTimes } from '../core/exchanges.ts';
import { ingestExchange } from '../ingest/exchange-ingest.ts';
import type { RunContext } from '../ingest/ingest-context.ts';

export interface RunResult extends RunVerdict {
  readonly run: Run;
}

/**
 * Executes a queued or crashed run to its end. Safe to call again for the same run: responses in bronze are not
 * requested again, files are rebuilt to the same bytes, and only the owner of the newest fence writes. Faults,
 * defects and cancellation of the run are in the result, not thrown.
 */
export async function executeRun(
  pipeline: Pipeline,
  runId: string,
  control: Pick<RunContext, 'signal' | 'onProgress' | 'slot'>,
): Promise<RunResult> {
  const { ports } = pipeline;
  const { host, pid } = ports.processes.self;
  const fence = await ports.store.transact(function* beginLeasedRun() {
    const nowMs = ports.clock.nowMs();
    const begun = yield* beginRun(runId, `${host}:${pid}`, nowMs);
    if (begun !== null) yield* takeLeases({ names: [runLease(runId)], owner: runId, nowMs }, ports.processes);
    return begun;
  });
  const run = await readWhole(pipeline, runId);
  if (fence === null) throw new RangeError(`run ${runId} has finished already`);
  const facts = {
    run: run.id,
    interval: run.interval,
    partition: run.partition,
    partition_end: run.partitionEnd,
    trigger: run.trigger,
  };
  const verdict = await ports.telemetry.trace.span('run', facts, async (span) => {
    const context = { ...control, run, fence, trace: span };
    const own = await materialiseAssets(pipeline, context).catch(stoppedBy);
    if (own.outcome === 'failed') span.fail(own.error?.code ?? 'SYMBOLS_FAILED');
    return own;
  });
  const opensAtMs = await openingTimes(pipeline.venues);
  await ports.store.transact(endRun, { run, fence, end: verdict, opensAtMs }, pipeline.settings, {
    nowMs: ports.clock.nowMs(),
    redact: pipeline.dispatcher.redact,
  });
  return { ...verdict, run: await readWhole(pipeline, runId) };
}

async function readWhole({ ports }: Pipeline, runId: string): Promise<Run> {
  const run = await ports.store.read(readRun, runId);
  if (run === null) throw new RangeError(`there is no run ${runId}`);
  return run;
}

function materialiseAssets(pipeline: Pipeline, context: RunContext): Promise<RunVerdict> {
  const { run } = context;
  const { markets, assets } = run.request;
  return withHeldLeases(pipeline.ports, { owner: run.id, signal: context.signal }, async (signal) => {
    const held = { ...context, signal, days: daysBetween(run.partition, run.partitionEnd) };
    const ingested = await Promise.all(
      markets.map(([exchange, symbols]) => ingestExchange(pipeline, { ...held, exchange, symbols })),
    );
    const gold = assets.includes('gold') ? await materialiseGold(pipeline, held) : null;
    const bronze = ingested.map((result) => result.bronze);
    const silver = ingested.flatMap((result) => result.silver);
    return verdictOf({
      assets: [
        ...bronze,
        ...(assets.includes('silver') ? [silverReport(silver, bronze)] : []),
        ...(gold === null ? [] : [gold.report]),
      ],
      faults: [...ingested.flatMap((result) => result.faults), ...(gold?.fault ? [gold.fault] : [])],
      wasAnswered: ingested.some((result) => result.wasAnswered),
    });
  });
}
