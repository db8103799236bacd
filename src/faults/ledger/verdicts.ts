import { createHash } from 'node:crypto';
import { all, exec, type Operation } from '../../kernel/store.ts';
import type { Series } from '../../market/candle.ts';
import type { TimeRange } from '../../market/range.ts';

/** Why a stretch of candles is missing, or flat in an outage, with what it was judged from. */
export interface StoredVerdict extends TimeRange {
  readonly state: string;
  readonly cause: string;
  /** Plain JSON; enough to judge again. */
  readonly evidence: unknown;
  readonly judgedAtMs: number;
}

interface VerdictRow {
  readonly range_from: number;
  readonly range_to: number;
  readonly state: string;
  readonly cause: string;
  readonly evidence: string;
  readonly judged_at: number;
}

/** Replaces every verdict inside `range`. Evidence is stored once for each content: thousands of verdicts share a few. */
export function* recordVerdicts(series: Series, range: TimeRange, verdicts: readonly StoredVerdict[]): Operation<void> {
  yield* exec(
    'delete from verdicts where exchange = $1 and candle_interval = $2 and symbol = $3 and range_from >= $4 and range_from < $5',
    series.exchange, series.interval, series.symbol, range.fromMs, range.toMs,
  );
  for (const one of verdicts) {
    const content = JSON.stringify(one.evidence);
    const sha256 = createHash('sha256').update(content).digest('hex');
    yield* exec('insert into evidence (sha256, content) values ($1, $2) on conflict (sha256) do nothing', sha256, content);
    yield* exec(
      `insert into verdicts (exchange, candle_interval, symbol, range_from, range_to, state, cause, evidence_sha256, judged_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      series.exchange, series.interval, series.symbol, one.fromMs, one.toMs, one.state, one.cause, sha256, one.judgedAtMs,
    );
  }
}

/** Verdicts that begin inside `range`, oldest first. */
export function* verdictsOf(series: Series, range: TimeRange): Operation<readonly StoredVerdict[]> {
  const rows = yield* all<VerdictRow>(
    `select range_from, range_to, state, cause, content as evidence, judged_at from verdicts join evidence on sha256 = evidence_sha256
     where exchange = $1 and candle_interval = $2 and symbol = $3 and range_from >= $4 and range_from < $5 order by range_from`,
    series.exchange, series.interval, series.symbol, range.fromMs, range.toMs,
  );
  return rows.map((row) => ({ fromMs: row.range_from, toMs: row.range_to, state: row.state, cause: row.cause, evidence: JSON.parse(row.evidence) as unknown, judgedAtMs: row.judged_at }));
}

/** A person ended the wait for these candles; kept for ever, with who and why. */
export interface Acceptance extends TimeRange {
  readonly reason: string;
  readonly by: string;
  readonly atMs: number;
}

export function* recordAcceptance(id: string, series: Series, accepted: Acceptance): Operation<void> {
  yield* exec(
    `insert into acceptances (id, exchange, candle_interval, symbol, range_from, range_to, reason, accepted_by, accepted_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    id, series.exchange, series.interval, series.symbol, accepted.fromMs, accepted.toMs, accepted.reason, accepted.by, accepted.atMs,
  );
}

/** Acceptances of a series that touch `range`. */
export function* acceptancesOf(series: Series, range: TimeRange): Operation<readonly Acceptance[]> {
  const rows = yield* all<{ range_from: number; range_to: number; reason: string; accepted_by: string; accepted_at: number }>(
    `select range_from, range_to, reason, accepted_by, accepted_at from acceptances
     where exchange = $1 and candle_interval = $2 and symbol = $3 and range_from < $5 and range_to > $4 order by accepted_at, id`,
    series.exchange, series.interval, series.symbol, range.fromMs, range.toMs,
  );
  return rows.map((row) => ({ fromMs: row.range_from, toMs: row.range_to, reason: row.reason, by: row.accepted_by, atMs: row.accepted_at }));
}
