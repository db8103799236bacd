import type { Migration, Operation } from '../platform/ports/store.ts';
import { all, exec, first } from '../platform/statements.ts';
import type { Exchange } from '../domain/exchange.ts';
import type { Interval } from '../domain/interval.ts';
import type { PeriodKey } from './layout.ts';
import { QUARANTINE_DECISIONS_TABLE } from './quarantine-decisions.ts';

/** One silver file as last written: its input, its rows and its checksums. */
export interface ManifestEntry extends PeriodKey {
  /** Relative to the data directory. */
  readonly path: string;
  /** Counts versions of the rows, 1 first. */
  readonly revision: number;
  readonly sha256: string;
  /** Hash of the rows, independent of how the file encodes them. */
  readonly rowsSha256: string;
  readonly bytes: number;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly removedByRule: Readonly<Record<string, number>>;
  readonly warningsByRule: Readonly<Record<string, number>>;
  readonly duplicates: number;
  /** Rows that break a rule and are in the file because a person released them. */
  readonly released: readonly ReleasedRow[];
  readonly symbols: readonly SymbolSpan[];
  /** sha256 of each bronze response that the file was made from, in the order used. */
  readonly inputs: readonly string[];
  readonly runId: string;
  readonly writtenAtMs: number;
}

export interface ReleasedRow {
  readonly symbol: string;
  readonly openTimeMs: number;
  readonly rules: readonly string[];
  readonly reason: string;
  readonly by: string;
}

export interface SymbolSpan {
  readonly symbol: string;
  readonly rows: number;
  readonly firstOpenMs: number;
  readonly lastOpenMs: number;
}

export const LAKE_1: Migration = {
  name: 'lake 1: manifest of silver files, journals, quarantine decisions',
  statements: [
    `create table silver_manifest (
      exchange text not null,
      candle_interval text not null,
      period text not null,
      sha256 text not null,
      revision bigint not null,
      entry text not null,
      primary key (exchange, candle_interval, period)
    )`,
    `create table journal (
      name text not null,
      seq bigint not null,
      line text not null,
      byte_end bigint,
      primary key (name, seq)
    )`,
    QUARANTINE_DECISIONS_TABLE,
  ],
};

export function* manifestEntry(key: PeriodKey): Operation<ManifestEntry | null> {
  const row = yield* first<{ entry: string }>(
    'select entry from silver_manifest where exchange = $1 and candle_interval = $2 and period = $3',
    key.exchange,
    key.interval,
    key.period,
  );
  return row === null ? null : (JSON.parse(row.entry) as ManifestEntry);
}

/** The newest files of one venue and candle length, newest first. */
export function* newestManifest(
  { exchange, interval }: Omit<PeriodKey, 'period'>,
  limit: number,
): Operation<readonly ManifestEntry[]> {
  const rows = yield* all<{ entry: string }>(
    'select entry from silver_manifest where exchange = $1 and candle_interval = $2 order by period desc limit $3',
    exchange,
    interval,
    limit,
  );
  return rows.map((row) => JSON.parse(row.entry) as ManifestEntry);
}

export function* recordManifest(entry: ManifestEntry): Operation<void> {
  yield* exec(
    `insert into silver_manifest (exchange, candle_interval, period, sha256, revision, entry)
     values ($1, $2, $3, $4, $5, $6) on conflict (exchange, candle_interval, period)
     do update set sha256 = excluded.sha256, revision = excluded.revision, entry = excluded.entry`,
    entry.exchange,
    entry.interval,
    entry.period,
    entry.sha256,
    entry.revision,
    JSON.stringify(entry),
  );
}

/** Removes the entry of a period without rows, which has no file. */
export function* deleteManifest(key: PeriodKey): Operation<void> {
  yield* exec(
    'delete from silver_manifest where exchange = $1 and candle_interval = $2 and period = $3',
    key.exchange,
    key.interval,
    key.period,
  );
}

/** Every file of one venue and interval, oldest period first. */
export function* manifestOf(exchange: Exchange, interval: Interval): Operation<readonly ManifestEntry[]> {
  const rows = yield* all<{ entry: string }>(
    'select entry from silver_manifest where exchange = $1 and candle_interval = $2 order by period',
    exchange,
    interval,
  );
  return rows.map(({ entry }) => JSON.parse(entry) as ManifestEntry);
}

export function* wholeManifest(): Operation<readonly ManifestEntry[]> {
  const rows = yield* all<{ entry: string }>(
    'select entry from silver_manifest order by exchange, candle_interval, period',
  );
  return rows.map(({ entry }) => JSON.parse(entry) as ManifestEntry);
}
