import type { Account } from '../../domain/account.ts';
import type { FaultEntry } from '../../state/fault-log.ts';
import type { Run } from '../../state/runs.ts';
import { runbookPath } from '../../errors/catalogue.ts';
import type { FaultRecord } from '../../errors/fault-record.ts';
import { ruleOf } from '../../errors/table.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { isoTime, SCHEMA } from './schema.ts';
import type { GapAccount, ReportedGap } from '../../engine/queries/gap-report.ts';
import type { WorkPlan, WorkResult } from '../../engine/core/work.ts';

export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly exchange: string | null;
  readonly symbol: string | null;
  readonly partition: string | null;
  readonly http_status: number | null;
  readonly retry_after_s: number | null;
  readonly attempts: number | null;
  readonly run_id: string | null;
  readonly hint: string;
  readonly docs: string;
}

/** A fault as scripts see it; `runId` names the run that recorded it. */
function errorDocument(record: FaultRecord, runId: string | null = null): ErrorDocument {
  const fact = <T extends string | number>(name: string, type: 'string' | 'number'): T | null =>
    typeof record.facts[name] === type ? (record.facts[name] as T) : null;
  const retryAfterMs = fact<number>('retryAfterMs', 'number');
  return {
    code: record.code,
    message: record.message,
    exchange: fact('exchange', 'string'),
    symbol: fact('symbol', 'string'),
    partition: fact('partition', 'string'),
    http_status: fact('status', 'number'),
    retry_after_s: retryAfterMs === null ? null : retryAfterMs / 1_000,
    attempts: fact('attempts', 'number'),
    run_id: runId,
    hint: ruleOf(record.code).hint,
    docs: runbookPath(record.code),
  };
}

/** The error that ended a run, with the stack of a defect; null for a run without one. */
export const runErrorDocument = ({ id, error }: Run): object | null =>
  error === null ? null : { ...errorDocument(error, id), stack: error.stack };

/** One entry of the fault log. */
export const faultDocument = ({
  id,
  atMs,
  runId,
  exchange,
  symbol,
  interval,
  range,
  attempt,
  triesMax,
  decision,
  waitMs,
  record,
}: FaultEntry): object => ({
  id,
  at: isoTime(atMs),
  code: record.code,
  exchange,
  symbol,
  interval,
  from: isoTime(range?.fromMs ?? null),
  to: isoTime(range?.toMs ?? null),
  attempt,
  tries_max: triesMax,
  decision,
  wait_ms: waitMs,
  error: errorDocument(record, runId),
});

export const failureDocument = (exit: ExitCode, record: FaultRecord): object => ({
  schema: SCHEMA,
  ok: false,
  exit,
  error: errorDocument(record),
});

export const runDocument = (run: Run): object => ({
  id: run.id,
  partition: run.partition,
  partition_end: run.partitionEnd,
  interval: run.interval,
  status: run.status,
  outcome: run.outcome,
  trigger: run.trigger,
  tags: run.tags,
  started_at: isoTime(run.startedAtMs),
  finished_at: isoTime(run.finishedAtMs),
  assets: run.assets,
});

/** What `run`, `backfill` and `heal` print. `resume` is the command that continues; null if nothing is left. */
export const workDocument = (result: WorkResult, resume: string | null): object => ({
  schema: SCHEMA,
  ok: result.ending === 'done',
  exit: EXIT[result.ending],
  runs: result.runs.map(runDocument),
  pending: result.pending,
  next_attempt_at: isoTime(result.nextAttemptAtMs),
  resume,
  ...(result.error === null ? {} : { error: errorDocument(result.error, result.runs.at(-1)?.id ?? null) }),
});

/** What `--dry-run` prints. `at_least_s`: seconds at our share of the exchange's rate limit. */
export const planDocument = ({ estimates, total }: WorkPlan): object => ({
  schema: SCHEMA,
  ok: true,
  exit: 0,
  plan: estimates.map(({ days, floorMs, ...counts }) => ({
    ...counts,
    partition: days.start,
    partition_end: days.end,
    at_least_s: floorMs / 1_000,
  })),
  total: {
    runs: total.runs,
    series: total.series,
    candles: total.candles,
    requests: total.requests,
    at_least_s: total.floorMs / 1_000,
  },
});

/** What `check-gaps` prints, in parts: there may be a million gaps. */
export function* gapDocument({ totals, gaps, discrepancies }: GapAccount, exit: ExitCode): Generator<string> {
  const head = { schema: SCHEMA, ok: exit === 0, exit, totals: totals satisfies Account };
  yield `${JSON.stringify(head).slice(0, -1)},"gaps":[`;
  let separator = '';
  for (const gap of gaps) {
    yield `${separator}${JSON.stringify(gapEntry(gap))}`;
    separator = ',';
  }
  yield `],"discrepancies":${JSON.stringify(discrepancies)}}`;
}

const gapEntry = (gap: ReportedGap): object => ({
  exchange: gap.exchange,
  symbol: gap.symbol,
  interval: gap.interval,
  from: isoTime(gap.fromMs),
  to: isoTime(gap.toMs),
  candles: gap.candles,
  reason: gap.state,
  code: gap.code,
  cause: gap.cause,
  next_attempt_at: isoTime(gap.nextAttemptAtMs),
});
