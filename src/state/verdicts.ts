import { createHash } from 'node:crypto';
import type { Operation } from '../platform/ports/store.ts';
import { all, exec } from '../platform/statements.ts';
import type { Series } from '../domain/candle.ts';
import { dayOf, dayStartMs, type Day } from '../domain/partition.ts';
import type { TimeRange } from '../domain/range.ts';
import { rangesOfRuns, runLengthsOf, type RunLengths } from './run-lengths.ts';

/** Why a segment of candles is missing, or flat in an outage, with its evidence. */
export interface StoredVerdict extends TimeRange {
  readonly state: string;
  readonly cause: string;
  /** Plain JSON; enough to classify again. */
  readonly evidence: unknown;
  readonly judgedAtMs: number;
}

interface VerdictRow {
  readonly day: Day;
  readonly state: string;
  readonly cause: string;
  readonly runs: string;
  readonly evidence: string;
  readonly judged_at: number;
}

/**
 * Replaces all verdicts of these days; each begins in one of them. Verdicts of a day with the same evidence are one
 * row, and equal evidence is stored once: thousands of verdicts share a few.
 */
export function* recordVerdicts(
  series: Series,
  days: { readonly start: Day; readonly end: Day },
  verdicts: readonly StoredVerdict[],
): Operation<void> {
  yield* exec(
    'delete from verdicts where exchange = $1 and candle_interval = $2 and symbol = $3 and day between $4 and $5',
    series.exchange,
    series.interval,
    series.symbol,
    days.start,
    days.end,
  );
  for (const [day, ofDay] of Map.groupBy(verdicts, ({ fromMs }) => dayOf(fromMs))) {
    for (const [content, own] of Map.groupBy(ofDay, ({ evidence }) => JSON.stringify(evidence))) {
      const { state, cause, judgedAtMs } = own[0] as StoredVerdict;
      const sha256 = createHash('sha256').update(content).digest('hex');
      const runs = JSON.stringify(
        runLengthsOf(
          own.toSorted((a, b) => a.fromMs - b.fromMs),
          dayStartMs(day),
        ),
      );
      yield* exec(
        'insert into evidence (sha256, content) values ($1, $2) on conflict (sha256) do nothing',
        sha256,
        content,
      );
      yield* exec(
        `insert into verdicts (exchange, candle_interval, symbol, day, evidence_sha256, state, cause, runs, judged_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        series.exchange,
        series.interval,
        series.symbol,
        day,
        sha256,
        state,
        cause,
        runs,
        judgedAtMs,
      );
    }
  }
}

/** Verdicts that begin inside `range`, oldest first. */
export function* verdictsOf(series: Series, range: TimeRange): Operation<readonly StoredVerdict[]> {
  const rows = yield* all<VerdictRow>(
    `select day, state, cause, runs, content as evidence, judged_at
     from verdicts join evidence on sha256 = evidence_sha256
     where exchange = $1 and candle_interval = $2 and symbol = $3 and day between $4 and $5`,
    series.exchange,
    series.interval,
    series.symbol,
    dayOf(range.fromMs),
    dayOf(range.toMs - 1),
  );
  const verdicts = rows.flatMap(({ day, state, cause, runs, evidence, judged_at }) => {
    const common = { state, cause, evidence: JSON.parse(evidence) as unknown, judgedAtMs: judged_at };
    return rangesOfRuns(JSON.parse(runs) as RunLengths, dayStartMs(day)).map(
      (run): StoredVerdict => ({ ...run, ...common }),
    );
  });
  return verdicts
    .filter(({ fromMs }) => fromMs >= range.fromMs && fromMs < range.toMs)
    .toSorted((a, b) => a.fromMs - b.fromMs);
}

/** A person's decision not to wait for these candles any longer; never deleted. */
export interface Acceptance extends TimeRange {
  readonly reason: string;
  readonly by: string;
  readonly atMs: number;
}

export function* recordAcceptance(id: string, series: Series, accepted: Acceptance): Operation<void> {
  yield* exec(
    `insert into acceptances (id, exchange, candle_interval, symbol, range_from, range_to, reason, accepted_by,
       accepted_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    id,
    series.exchange,
    series.interval,
    series.symbol,
    accepted.fromMs,
    accepted.toMs,
    accepted.reason,
    accepted.by,
    accepted.atMs,
  );
}

/** Acceptances of a series that overlap `range`. */
export function* acceptancesOf(series: Series, range: TimeRange): Operation<readonly Acceptance[]> {
  const rows = yield* all<{
    range_from: number;
    range_to: number;
    reason: string;
    accepted_by: string;
    accepted_at: number;
  }>(
    `select range_from, range_to, reason, accepted_by, accepted_at from acceptances
     where exchange = $1 and candle_interval = $2 and symbol = $3 and range_from < $5 and range_to > $4
     order by accepted_at, id`,
    series.exchange,
    series.interval,
    series.symbol,
    range.fromMs,
    range.toMs,
  );
  return rows.map((row) => ({
    fromMs: row.range_from,
    toMs: row.range_to,
    reason: row.reason,
    by: row.accepted_by,
    atMs: row.accepted_at,
  }));
}
