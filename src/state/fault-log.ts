import type { Operation } from '../platform/ports/store.ts';
import { all, exec } from '../platform/statements.ts';
import type { Series } from '../domain/candle.ts';
import type { Exchange } from '../domain/exchange.ts';
import type { Interval } from '../domain/interval.ts';
import type { TimeRange } from '../domain/range.ts';
import type { MarketSymbol } from '../domain/symbol.ts';
import type { FaultRecord } from '../errors/fault-record.ts';
import type { FaultCode } from '../errors/table.ts';

/** One failed attempt or one finding in data. */
export interface FaultEntry {
  readonly id: string;
  readonly atMs: number;
  readonly runId: string | null;
  readonly exchange: Exchange | null;
  readonly symbol: MarketSymbol | null;
  readonly interval: Interval | null;
  readonly range: TimeRange | null;
  /** Number of the request for the page, from 1; null for findings in data. */
  readonly attempt: number | null;
  readonly triesMax: number | null;
  /**
   * `retry`, the reason for giving up (`tries`, `deadline`, `permanent`, `budget`, `parked`), or the decision about the
   * data.
   */
  readonly decision: string;
  readonly waitMs: number | null;
  readonly record: FaultRecord;
}

export function* recordFaults(entries: readonly FaultEntry[]): Operation<void> {
  for (const entry of entries) {
    yield* exec(
      `insert into fault_log (id, at, run_id, code, exchange, symbol, candle_interval, range_from, range_to, attempt,
         tries_max, decision, wait_ms, record)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict (id) do nothing`,
      entry.id,
      entry.atMs,
      entry.runId,
      entry.record.code,
      entry.exchange,
      entry.symbol,
      entry.interval,
      entry.range?.fromMs ?? null,
      entry.range?.toMs ?? null,
      entry.attempt,
      entry.triesMax,
      entry.decision,
      entry.waitMs,
      JSON.stringify(entry.record),
    );
  }
}

interface FaultRow {
  readonly id: string;
  readonly at: number;
  readonly run_id: string | null;
  readonly code: FaultCode;
  readonly exchange: Exchange | null;
  readonly symbol: MarketSymbol | null;
  readonly candle_interval: Interval | null;
  readonly range_from: number | null;
  readonly range_to: number | null;
  readonly attempt: number | null;
  readonly tries_max: number | null;
  readonly decision: string;
  readonly wait_ms: number | null;
  readonly record: string;
}

/** Oldest first. */
export function* faultsOfRun(runId: string, limit: number): Operation<readonly FaultEntry[]> {
  return (yield* all<FaultRow>('select * from fault_log where run_id = $1 order by at, id limit $2', runId, limit)).map(
    toEntry,
  );
}

/** Faults of requests that overlap `range` of one series, newest first. */
export function* faultsAbout(series: Series, range: TimeRange, limit: number): Operation<readonly FaultEntry[]> {
  const rows = yield* all<FaultRow>(
    `select * from fault_log where exchange = $1 and symbol = $2 and candle_interval = $3
       and range_from < $5 and range_to > $4 order by at desc, id desc limit $6`,
    series.exchange,
    series.symbol,
    series.interval,
    range.fromMs,
    range.toMs,
    limit,
  );
  return rows.map(toEntry);
}

/** Requests of a run that failed, by exchange and code. */
export function* failedRequestsOf(
  runId: string,
): Operation<readonly { readonly exchange: Exchange; readonly code: FaultCode; readonly count: number }[]> {
  return yield* all<{ exchange: Exchange; code: FaultCode; count: number }>(
    `select exchange, code, count(*) as count from fault_log
     where run_id = $1 and exchange is not null and attempt is not null
     group by exchange, code order by exchange, code`,
    runId,
  );
}

/** Number of faults by code since `sinceMs`, most frequent first. */
export function* countFaults(
  sinceMs: number,
): Operation<readonly { readonly code: FaultCode; readonly count: number }[]> {
  return yield* all<{ code: FaultCode; count: number }>(
    'select code, count(*) as count from fault_log where at >= $1 group by code order by count(*) desc, code',
    sinceMs,
  );
}

/** A fault record as stored in runs and in the fault log. */
export const faultFromText = (text: string): FaultRecord => JSON.parse(text) as FaultRecord;

const toEntry = (row: FaultRow): FaultEntry => ({
  id: row.id,
  atMs: row.at,
  runId: row.run_id,
  exchange: row.exchange,
  symbol: row.symbol,
  interval: row.candle_interval,
  range: row.range_from === null || row.range_to === null ? null : { fromMs: row.range_from, toMs: row.range_to },
  attempt: row.attempt,
  triesMax: row.tries_max,
  decision: row.decision,
  waitMs: row.wait_ms,
  record: faultFromText(row.record),
});
