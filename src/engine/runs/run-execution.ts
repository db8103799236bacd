import type { Span } from '../../platform/ports/telemetry.ts';
import type { Exchange } from '../../domain/exchange.ts';
import { daysBetween } from '../../domain/partition.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import { GOLD_ASSET } from '../../domain/assets.ts';
import { runLease, takeLeases } from '../../state/leases.ts';
import { beginRun, readRun, type Fence, type Run } from '../../state/runs.ts';
import { materialiseGold, type GoldResult } from '../ingest/gold-step.ts';
import { withHeldLeases } from '../core/lease-keeping.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { endRun } from './run-end.ts';
import { stoppedBy, verdictOf, type RunVerdict } from '../core/run-verdict.ts';
import { silverReport } from '../ingest/asset-reports.ts';
import { openingTimes } from '../core/exchanges.ts';
import { ingestExchange } from '../ingest/exchange-ingest.ts';
import type { Control } from '../core/work.ts';
import type { RunControl } from '../core/run-control.ts';

export interface RunResult extends RunVerdict {
  readonly run: Run;
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
  const facts = {
    run: run.id,
    interval: run.interval,
    partition: run.partition,
    partition_end: run.partitionEnd,
    trigger: run.trigger,
  };
  const verdict = await ports.telemetry.trace.span('run', facts, async (span) => {
    const own = await materialiseAssets(pipeline, { run, fence, span }, control).catch(stoppedBy);
    if (own.outcome === 'failed') span.fail(own.error?.code ?? 'SYMBOLS_FAILED');
    return own;
  });
  const opensAtMs = await openingTimes(pipeline.venues);
  await ports.store.transact('endRun', () =>
    endRun({ run, fence, end: verdict, opensAtMs }, pipeline.settings, {
      nowMs: ports.clock.nowMs(),
      redact: pipeline.dispatcher.redact,
    }),
  );
  return { ...verdict, run: await readWhole(pipeline, runId) };
}

async function readWhole({ ports }: Pipeline, runId: string): Promise<Run> {
  const run = await ports.store.read('readRun', () => readRun(runId));
  if (run === null) throw new RangeError(`there is no run ${runId}`);
  return run;
}

function materialiseAssets(
  pipeline: Pipeline,
  { run, fence, span }: { readonly run: Run; readonly fence: Fence; readonly span: Span },
  control: RunControl,
): Promise<RunVerdict> {
  return withHeldLeases(pipeline.ports, { owner: run.id, signal: control.signal }, async (signal) => {
    const request = run.request;
    const days = daysBetween(run.partition, run.partitionEnd);
    const asking = new Set(request.markets.map(([exchange]) => exchange));
    const onAsked = (exchange: Exchange) => (): void => {
      if (asking.delete(exchange) && asking.size === 0) control.onAsked();
    };
    const turn = (exchange: Exchange, symbols: readonly MarketSymbol[]): ReturnType<typeof ingestExchange> =>
      ingestExchange(
        pipeline,
        { run, request, fence, days, exchange, symbols, trace: span },
        { ...control, signal, onAsked: onAsked(exchange) },
      );
    const venues = await Promise.all(request.markets.map(([exchange, symbols]) => turn(exchange, symbols)));
    const gold = request.assets.includes('gold') ? await goldOf(pipeline, { run, span }, { ...control, signal }) : null;
    return verdictOf({
      assets: [
        ...venues.map((venue) => venue.bronze),
        ...(request.assets.includes('silver')
          ? [
              silverReport(
                venues.flatMap((venue) => venue.silver),
                venues.map((venue) => venue.bronze),
              ),
            ]
          : []),
        ...(gold === null ? [] : [gold.report]),
      ],
      faults: [...venues.flatMap((venue) => venue.faults), ...(gold?.fault ? [gold.fault] : [])],
      wasAnswered: venues.some((venue) => venue.wasAnswered),
    });
  });
}

const goldOf = (
  pipeline: Pipeline,
  { run, span }: { readonly run: Run; readonly span: Span },
  control: Control,
): Promise<GoldResult> =>
  span.span(GOLD_ASSET, { run: run.id, asset: GOLD_ASSET }, async (own) => {
    const result = await materialiseGold(pipeline, control, run.id);
    if (result.fault !== null) own.fail(result.fault.code);
    return result;
  });
