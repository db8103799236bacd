import type { Exchange } from '../../domain/exchange.ts';
import { dayRange } from '../../domain/partition.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import type { Account } from '../../domain/account.ts';
import { faultsOfRun, type FaultEntry } from '../../state/fault-log.ts';
import { readRun, type Run } from '../../state/runs.ts';
import type { FaultCode } from '../../errors/table.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { accountOf, nextAttemptOf, totalOf } from '../core/range-account.ts';

/** The faults of one code at one symbol during a run. */
export interface MetFault {
  readonly code: FaultCode;
  readonly exchange: Exchange | null;
  readonly symbol: MarketSymbol | null;
  readonly times: number;
  /** Requests the fault table grants for one page, the first included; null for findings in data. */
  readonly triesMax: number | null;
  /** Sum of the waits before retries. Unit: milliseconds. */
  readonly waitedMs: number;
  /** The decision after the last of them. */
  readonly decision: string;
  readonly message: string;
}

/** A run, its faults, and its current account. */
export interface RunReport {
  readonly run: Run;
  readonly faults: readonly MetFault[];
  /** Of the run's markets and days, now. */
  readonly account: Account;
  readonly nextAttemptAtMs: number | null;
}

const FAULTS_MAX = 10_000;

/** Null for an unknown run. */
export async function runReport(pipeline: Pipeline, runId: string): Promise<RunReport | null> {
  const { store } = pipeline.ports;
  const run = await store.read(readRun, runId);
  if (run === null) return null;
  const entries = await store.read(faultsOfRun, runId, FAULTS_MAX);
  const { markets } = run.request;
  const range = { fromMs: dayRange(run.partition).fromMs, toMs: dayRange(run.partitionEnd).toMs };
  const accounts = await accountOf(pipeline, { range, markets: new Map(markets), intervals: [run.interval] });
  return { run, faults: metFaults(entries), account: totalOf(accounts), nextAttemptAtMs: nextAttemptOf(accounts) };
}

/** `entries` oldest first. */
function metFaults(entries: readonly FaultEntry[]): MetFault[] {
  return [
    ...Map.groupBy(entries, ({ record, exchange, symbol }) => `${record.code} ${exchange} ${symbol}`).values(),
  ].flatMap((own) => {
    const last = own.at(-1);
    if (last === undefined) return [];
    const { exchange, symbol, triesMax, decision, record } = last;
    const waitedMs = own.reduce((sum, entry) => sum + (entry.decision === 'retry' ? (entry.waitMs ?? 0) : 0), 0);
    return [
      {
        code: record.code,
        exchange,
        symbol,
        times: own.length,
        triesMax: last.attempt === null ? null : triesMax,
        waitedMs,
        decision,
        message: record.message,
      },
    ];
  });
}
