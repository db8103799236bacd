import type { Interval } from '../../domain/interval.ts';
import { dayRange, daysBetween } from '../../domain/partition.ts';
import { flushJournal, JOURNALS } from '../../lake/journal.ts';
import { createRun } from '../../state/runs.ts';
import { toRecord } from '../../errors/fault-record.ts';
import { chunksOf, type DayRange } from '../core/chunks.ts';
import { endingOfFault, worstEnding } from '../core/ending.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { accountOf, nextAttemptOf, totalOf, type SeriesAccount } from '../core/range-account.ts';
import { executeRun, type RunResult } from './run-execution.ts';
import { periodsByLease } from '../ingest/period-leases.ts';
import { overlapRuns } from '../ingest/run-overlap.ts';
import { marketsAt } from '../core/exchanges.ts';
import type { Control, WorkRequest, WorkResult } from '../core/work.ts';
import type { RunRequest } from '../../state/run-request.ts';

/** One run of a request: an interval and a chunk of days. */
export interface PlannedRun {
  readonly work: WorkRequest;
  readonly interval: Interval;
  readonly days: DayRange;
  /** Unique: a second run with the same key is not created. */
  readonly key?: string;
}

/**
 * Makes one run per interval and chunk of days and executes them in order: interval by interval, within each the
 * newest days first. The runs of an interval leave out exchanges that have no candles of it. After a failed run the
 * next one starts, unless the failure affects them all.
 */
export function materialise(pipeline: Pipeline, work: WorkRequest, control: Control): Promise<WorkResult> {
  const planned = work.intervals.flatMap((interval) => {
    const markets = marketsAt(pipeline.venues, work.markets, interval);
    return markets.size === 0
      ? []
      : chunksOf(work.days, interval)
          .toReversed()
          .map((days): PlannedRun => ({ work: { ...work, markets }, interval, days }));
  });
  return executeAll(pipeline, planned, control);
}

/**
 * Executes runs in order, overlapping as `overlapRuns` allows. A run whose key exists already belongs to the process
 * that created it, and is skipped.
 */
export async function executeAll(
  pipeline: Pipeline,
  planned: readonly PlannedRun[],
  control: Control,
): Promise<WorkResult> {
  for (const name of JOURNALS) await flushJournal(pipeline.ports, pipeline.lake, name); // left by a crashed process
  const requestsNothing = planned.length > 0 && planned.every(({ work }) => !work.assets.includes('bronze'));
  const halt = requestsNothing ? null : await pipeline.halts.standing();
  if (halt !== null)
    return {
      runs: [],
      ...(await accountOfAll(pipeline, planned)),
      ending: endingOfFault(halt.code),
      error: toRecord(halt),
    };
  const results = await executeInOrder(pipeline, planned, control);
  const account = await accountOfAll(pipeline, planned);
  const ending = worstEnding([
    ...results.map((result) => result.ending),
    ...(account.pending > 0 ? ['partial' as const] : []),
  ]);
  return {
    runs: results.map((result) => result.run),
    ...account,
    ending,
    error:
      ending === 'done' || ending === 'partial'
        ? null
        : (results.find((result) => result.ending === ending)?.error ?? null),
  };
}

async function executeInOrder(
  pipeline: Pipeline,
  planned: readonly PlannedRun[],
  control: Control,
): Promise<readonly RunResult[]> {
  const results: (RunResult | null)[] = planned.map(() => null);
  const overlap = overlapRuns();
  try {
    for (const [at, one] of planned.entries()) {
      const leases = leasesOf(one);
      await overlap.admit(leases);
      if (results.some((result) => result?.endsWork)) break;
      const runId = await queueRun(pipeline, one);
      if (runId === null) continue;
      const run = {
        leases,
        exchanges: one.work.markets.keys(),
        interval: one.interval,
        firstDay: one.days.start,
        position: { run: at + 1, runs: planned.length },
      };
      await overlap.begin(run, async (slot) => {
        results[at] = await executeRun(pipeline, runId, { ...control, slot });
      });
    }
  } finally {
    await overlap.allEnded();
  }
  return results.filter((result) => result !== null);
}

const leasesOf = ({ work, interval, days }: PlannedRun): ReadonlySet<string> =>
  new Set(
    [...work.markets.keys()].flatMap((exchange) => [
      ...periodsByLease(exchange, interval, daysBetween(days.start, days.end)).keys(),
    ]),
  );

async function queueRun(
  { ports, settings }: Pipeline,
  { work, interval, days, key }: PlannedRun,
): Promise<string | null> {
  const id = ports.ids.next('run');
  const request: RunRequest = {
    markets: [...work.markets],
    selection: work.selection,
    waitPolicy: work.waitPolicy,
    assets: work.assets,
    askedFrom: work.days.start,
  };
  const run = {
    id,
    interval,
    partition: days.start,
    partitionEnd: days.end,
    trigger: work.trigger,
    tags: { ...settings.tags, ...work.tags },
    request,
    ...(key === undefined ? {} : { key }),
  };
  const isCreated = await ports.store.transact(createRun, run, ports.clock.nowMs());
  return isCreated ? id : null;
}

/** Pending candles in the range of the runs, and their earliest next attempt. */
async function accountOfAll(
  pipeline: Pipeline,
  planned: readonly PlannedRun[],
): Promise<Pick<WorkResult, 'pending' | 'nextAttemptAtMs'>> {
  const accounts: SeriesAccount[] = [];
  for (const { work, interval, days } of planned) {
    const range = { fromMs: dayRange(days.start).fromMs, toMs: dayRange(days.end).toMs };
    accounts.push(...(await accountOf(pipeline, { range, markets: work.markets, intervals: [interval] })));
  }
  return { pending: totalOf(accounts).pending, nextAttemptAtMs: nextAttemptOf(accounts) };
}
