import { requestFromText, requestToText, type RunRequest } from './run-request.ts';
import type { Operation } from '../platform/ports/store.ts';
import { all, exec, first } from '../platform/statements.ts';
import type { Interval } from '../domain/interval.ts';
import type { Day } from '../domain/partition.ts';
import { CellsLeasedError } from '../errors/errors.ts';
import type { FaultCode } from '../errors/table.ts';
import type { FaultRecord } from '../errors/fault-record.ts';
import { faultFromText } from './fault-log.ts';
import { releaseLeases } from './leases.ts';

export const RUN_OUTCOMES = ['complete', 'partial', 'failed', 'parked', 'cancelled'] as const;
export type RunOutcome = (typeof RUN_OUTCOMES)[number];
export type RunTrigger =
  | 'manual'
  | 'backfill'
  | 'heal'
  | 'schedule'
  | 'retry'
  | 'accept'
  | 'quarantine'
  | 'repair'
  | 'verify'
  | 'demo';

/** Result of one asset of a run. Rows count candles of the run's own partitions. */
export interface AssetReport {
  readonly asset: string;
  readonly outcome: RunOutcome;
  readonly status: 'success' | 'no_input_data' | 'failed' | 'skipped';
  readonly input_rows: number;
  readonly output_rows: number;
  readonly removed_rows: number;
  readonly removal_rate: number;
  readonly validation_errors: number;
  readonly validation_warnings: number;
  readonly symbols_ok: number;
  readonly symbols_failed: number;
  readonly errors: Readonly<Record<string, FaultCode>>;
  /** Rows that silver removed, by the first rule each broke. */
  readonly removed_by_rule?: Readonly<Record<string, number>>;
  /** Incomplete assets that this one was built from; absent when there are none. */
  readonly partial_inputs?: readonly string[];
}

export interface NewRun {
  readonly id: string;
  readonly interval: Interval;
  readonly partition: Day;
  readonly partitionEnd: Day;
  readonly trigger: RunTrigger;
  readonly tags: Readonly<Record<string, string>>;
  readonly request: RunRequest;
  /** At most one run exists per key, so that two processes never retry the same run. */
  readonly key?: string;
}

export interface Run extends NewRun {
  readonly status: 'queued' | 'running' | 'finished';
  readonly outcome: RunOutcome | null;
  readonly owner: string | null;
  readonly fence: number;
  readonly crashCount: number;
  readonly createdAtMs: number;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
  readonly assets: readonly AssetReport[];
  readonly error: FaultRecord | null;
}

/** Proof that a process still owns a run; every write of the run checks it. */
export interface Fence {
  readonly runId: string;
  readonly owner: string;
  readonly fence: number;
}

interface RunRow {
  readonly id: string;
  readonly candle_interval: Interval;
  readonly partition_start: Day;
  readonly partition_end: Day;
  readonly run_trigger: RunTrigger;
  readonly request: string;
  readonly status: Run['status'];
  readonly outcome: RunOutcome | null;
  readonly owner: string | null;
  readonly fence: number;
  readonly crash_count: number;
  readonly cancel_requested: number;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly assets: string;
  readonly error: string | null;
}

/** Returns false when a run with the same key exists. */
export function* createRun(run: NewRun, nowMs: number): Operation<boolean> {
  if (run.key !== undefined && (yield* runOfKey(run.key)) !== null) return false;
  yield* exec(
    `insert into runs (id, candle_interval, partition_start, partition_end, run_trigger, run_key, request, status,
       created_at)
     values ($1, $2, $3, $4, $5, $6, $7, 'queued', $8)`,
    run.id,
    run.interval,
    run.partition,
    run.partitionEnd,
    run.trigger,
    run.key ?? null,
    requestToText(run.request),
    nowMs,
  );
  for (const [tag, value] of Object.entries(run.tags)) {
    yield* exec('insert into run_tags (run_id, tag, value) values ($1, $2, $3)', run.id, tag, value);
  }
  return true;
}

/** Takes a run for `owner`. A run that is already running crashed with its process; the crash is counted. */
export function* beginRun(runId: string, owner: string, nowMs: number): Operation<Fence | null> {
  const row = yield* first<RunRow>('select * from runs where id = $1', runId);
  if (row === null || row.status === 'finished') return null;
  const fence = row.fence + 1;
  yield* exec(
    `update runs set status = 'running', owner = $2, fence = $3, crash_count = crash_count + $4, started_at = $5
     where id = $1`,
    runId,
    owner,
    fence,
    row.status === 'running' ? 1 : 0,
    row.started_at ?? nowMs,
  );
  return { runId, owner, fence };
}

/**
 * The first statement of every transaction that writes for a run. A process that lost the run, because it was suspended
 * beyond its lease and another one took over, writes nothing.
 * @throws CellsLeasedError (CELLS_LEASED) when another process owns the run.
 */
export function* checkFence(fence: Fence): Operation<void> {
  const row = yield* first<RunRow>('select * from runs where id = $1', fence.runId);
  if (row?.owner !== fence.owner || row.fence !== fence.fence || row.status !== 'running') {
    throw new CellsLeasedError({ lease: `run ${fence.runId}`, owner: row?.owner ?? 'nobody' });
  }
}

export interface RunEnd {
  readonly outcome: RunOutcome;
  readonly assets: readonly AssetReport[];
  readonly error: FaultRecord | null;
}

/** Writes the outcome and releases all leases, in the caller's transaction. */
export function* finishRun(fence: Fence, end: RunEnd, nowMs: number): Operation<void> {
  yield* checkFence(fence);
  yield* exec(
    `update runs set status = 'finished', outcome = $2, assets = $3, error = $4, finished_at = $5 where id = $1`,
    fence.runId,
    end.outcome,
    JSON.stringify(end.assets),
    end.error === null ? null : JSON.stringify(end.error),
    nowMs,
  );
  yield* releaseLeases(fence.runId);
}

export function* isCancelRequested(runId: string): Operation<boolean> {
  return ((yield* first<RunRow>('select * from runs where id = $1', runId))?.cancel_requested ?? 0) === 1;
}

/** Requests a running or queued run to stop. Returns false when there is none. */
export function* requestCancel(runId: string): Operation<boolean> {
  const row = yield* first<RunRow>('select * from runs where id = $1', runId);
  if (row === null || row.status === 'finished') return false;
  yield* exec('update runs set cancel_requested = 1 where id = $1', runId);
  return true;
}

export function* readRun(runId: string): Operation<Run | null> {
  const row = yield* first<RunRow>('select * from runs where id = $1', runId);
  return row === null ? null : yield* toRun(row);
}

/** Newest first. */
export function* listRuns(limit: number): Operation<readonly Run[]> {
  const rows = yield* all<RunRow>('select * from runs order by created_at desc, id desc limit $1', limit);
  const runs: Run[] = [];
  for (const row of rows) runs.push(yield* toRun(row));
  return runs;
}

/** Runs that ended since `sinceMs`, oldest first. */
export function* runsFinishedSince(sinceMs: number): Operation<readonly Run[]> {
  const rows = yield* all<RunRow>(
    `select * from runs where created_at >= $1 and finished_at >= $2 order by finished_at, id`,
    sinceMs - RUN_MS_MAX,
    sinceMs,
  );
  const runs: Run[] = [];
  for (const row of rows) runs.push(yield* toRun(row));
  return runs;
}

/** Upper bound from creation to end of a run; the index is by creation. Unit: milliseconds. */
const RUN_MS_MAX = 7 * 86_400_000;

/** The key of the run that retries a run. */
export const retryKey = (runId: string): string => `retry:${runId}`;

/** The run with this key; null without one. */
export function* runOfKey(key: string): Operation<string | null> {
  return (yield* first<{ id: string }>('select id from runs where run_key = $1', key))?.id ?? null;
}

/** Incomplete runs that ended since `sinceMs` and have no retry yet, oldest first. */
export function* unretriedRuns(sinceMs: number): Operation<readonly Run[]> {
  const rows = yield* all<RunRow>(
    `select * from runs where status = 'finished' and outcome in ('failed', 'partial', 'parked') and finished_at >= $1
       and not exists (select 1 from runs as later where later.run_key = $2 || runs.id) order by finished_at, id`,
    sinceMs,
    retryKey(''),
  );
  const runs: Run[] = [];
  for (const row of rows) runs.push(yield* toRun(row));
  return runs;
}

const reportsFromText = (text: string): readonly AssetReport[] => JSON.parse(text) as AssetReport[];

function* toRun(row: RunRow): Operation<Run> {
  const tags = yield* all<{ tag: string; value: string }>(
    'select tag, value from run_tags where run_id = $1 order by tag',
    row.id,
  );
  return {
    id: row.id,
    interval: row.candle_interval,
    partition: row.partition_start,
    partitionEnd: row.partition_end,
    trigger: row.run_trigger,
    request: requestFromText(row.request),
    tags: Object.fromEntries(tags.map(({ tag, value }) => [tag, value])),
    status: row.status,
    outcome: row.outcome,
    owner: row.owner,
    fence: row.fence,
    crashCount: row.crash_count,
    createdAtMs: row.created_at,
    startedAtMs: row.started_at,
    finishedAtMs: row.finished_at,
    assets: reportsFromText(row.assets),
    error: row.error === null ? null : faultFromText(row.error),
  };
}
