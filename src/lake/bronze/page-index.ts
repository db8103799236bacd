import type { Migration, Operation } from '../../platform/ports/store.ts';
import { all, exec, first } from '../../platform/statements.ts';
import type { Series } from '../../domain/candle.ts';
import { intervalMs } from '../../domain/interval.ts';
import { candlesIn, intersectRanges, mergeRanges, subtractRanges, type TimeRange } from '../../domain/range.ts';
import type { FaultCode } from '../../errors/table.ts';

/**
 * Where a stored response lies and what it covers. Candles covered by a used response are not requested again, even
 * if the process that fetched it has crashed.
 */
export interface PageEntry {
  /** Sorts by the time of arrival. */
  readonly id: string;
  readonly series: Series;
  readonly range: TimeRange;
  /** Why the response is out of use; null for a used one. */
  readonly rejected: FaultCode | null;
  readonly rows: number;
  /** Open times of the first and last row, valid or not; null for a response without rows. */
  readonly hull: { readonly firstOpenMs: number; readonly lastOpenMs: number } | null;
  /** Relative to the data directory. */
  readonly segment: string;
  readonly offset: number;
  readonly length: number;
  readonly sha256: string;
  readonly fetchedAtMs: number;
  readonly runId: string;
}

export const BRONZE_1: Migration = {
  name: 'bronze 1: index of answers',
  statements: [
    `create table bronze_pages (
      id text primary key,
      exchange text not null,
      symbol text not null,
      candle_interval text not null,
      range_from bigint not null,
      range_to bigint not null,
      rejected text,
      rows_total bigint not null,
      first_open bigint,
      last_open bigint,
      segment text not null,
      byte_offset bigint not null,
      byte_length bigint not null,
      sha256 text not null,
      fetched_at bigint not null,
      run_id text not null
    )`,
    'create index bronze_pages_by_range on bronze_pages (exchange, candle_interval, range_from)',
  ],
};

interface PageRow {
  readonly id: string;
  readonly exchange: Series['exchange'];
  readonly symbol: string;
  readonly candle_interval: Series['interval'];
  readonly range_from: number;
  readonly range_to: number;
  readonly rejected: FaultCode | null;
  readonly rows_total: number;
  readonly first_open: number | null;
  readonly last_open: number | null;
  readonly segment: string;
  readonly byte_offset: number;
  readonly byte_length: number;
  readonly sha256: string;
  readonly fetched_at: number;
  readonly run_id: string;
}

/** Earliest and latest of these open times, in any order; null for none. */
export const hullOfTimes = (openTimesMs: readonly number[]): PageEntry['hull'] =>
  openTimesMs.length === 0 ? null : { firstOpenMs: Math.min(...openTimesMs), lastOpenMs: Math.max(...openTimesMs) };

/** Most candles that one used response covers: how far back lookups search. */
const CANDLES_PER_PAGE_MAX = 10_000;

/** Leaves responses alone that are indexed already. @throws RangeError for a used response that lookups would miss. */
export function* recordPages(pages: readonly PageEntry[]): Operation<void> {
  for (const page of pages) {
    if (page.rejected === null && candlesIn(page.range, page.series.interval) > CANDLES_PER_PAGE_MAX)
      throw new RangeError(`page ${page.id} covers more than ${CANDLES_PER_PAGE_MAX} candles`);
    yield* exec(
      `insert into bronze_pages (id, exchange, symbol, candle_interval, range_from, range_to, rejected, rows_total,
       first_open, last_open, segment, byte_offset, byte_length, sha256, fetched_at, run_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict (id) do nothing`,
      page.id,
      page.series.exchange,
      page.series.symbol,
      page.series.interval,
      page.range.fromMs,
      page.range.toMs,
      page.rejected,
      page.rows,
      page.hull?.firstOpenMs ?? null,
      page.hull?.lastOpenMs ?? null,
      page.segment,
      page.offset,
      page.length,
      page.sha256,
      page.fetchedAtMs,
      page.runId,
    );
  }
}

/** Used responses that touch `range`, of one symbol or of all, in order of arrival. */
export function* usedPages(
  of: Omit<Series, 'symbol'> & { readonly symbol?: string },
  range: TimeRange,
): Operation<readonly PageEntry[]> {
  const rows = yield* all<PageRow>(
    `select * from bronze_pages where exchange = $1 and candle_interval = $2
       and range_from > $3 and range_from < $5 and range_to > $4
       and ($6 = '' or symbol = $6) and rejected is null order by fetched_at, id`,
    of.exchange,
    of.interval,
    range.fromMs - CANDLES_PER_PAGE_MAX * intervalMs(of.interval),
    range.fromMs,
    range.toMs,
    of.symbol ?? '',
  );
  return rows.map(toPage);
}

/** Every response about `range` of one series, used or rejected, in order of arrival. */
export function* responsesAbout(series: Series, range: TimeRange, limit: number): Operation<readonly PageEntry[]> {
  const rows = yield* all<PageRow>(
    `select * from bronze_pages where exchange = $1 and candle_interval = $2 and symbol = $3
       and range_from < $5 and range_to > $4 order by fetched_at, id limit $6`,
    series.exchange,
    series.interval,
    series.symbol,
    range.fromMs,
    range.toMs,
    limit,
  );
  return rows.map(toPage);
}

/** Null when there is no such response. */
export function* pageById(id: string): Operation<PageEntry | null> {
  const row = yield* first<PageRow>('select * from bronze_pages where id = $1', id);
  return row === null ? null : toPage(row);
}

/** Number of used responses about these candles that one run fetched. */
export function* responsesOfRun(runId: string, of: Omit<Series, 'symbol'>, range: TimeRange): Operation<number> {
  const row = yield* first<{ count: number }>(
    `select count(*) as count from bronze_pages where exchange = $1 and candle_interval = $2
       and range_from > $3 and range_from < $4 and run_id = $5 and rejected is null`,
    of.exchange,
    of.interval,
    range.fromMs - CANDLES_PER_PAGE_MAX * intervalMs(of.interval),
    range.toMs,
    runId,
  );
  return row?.count ?? 0;
}

/** Until when responses cover each symbol's candles, counting those that begin after `sinceMs`. */
export function* coveredUntil(of: Omit<Series, 'symbol'>, sinceMs: number): Operation<ReadonlyMap<string, number>> {
  const rows = yield* all<{ symbol: string; until: number }>(
    `select symbol, max(range_to) as until from bronze_pages where exchange = $1 and candle_interval = $2
       and range_from > $3 and rejected is null group by symbol`,
    of.exchange,
    of.interval,
    sinceMs,
  );
  return new Map(rows.map(({ symbol, until }) => [symbol, until]));
}

/** The part of `range` that used responses of a series cover. */
export function* coverageOf(series: Series, range: TimeRange): Operation<readonly TimeRange[]> {
  return mergeRanges((yield* usedPages(series, range)).map((page) => page.range));
}

/** Takes responses out of use that cannot be read any more. */
export function* markDamaged(ids: readonly string[]): Operation<void> {
  for (const id of ids)
    yield* exec('update bronze_pages set rejected = $2 where id = $1', id, 'ANSWER_DAMAGED' satisfies FaultCode);
}

/** Updates responses found again in bronze: their place, whether they are used, and their rows. */
export function* restorePages(pages: readonly PageEntry[]): Operation<void> {
  for (const { id, rejected, segment, offset, rows, hull } of pages)
    yield* exec(
      `update bronze_pages set rejected = $2, segment = $3, byte_offset = $4, rows_total = $5, first_open = $6,
       last_open = $7 where id = $1`,
      id,
      rejected,
      segment,
      offset,
      rows,
      hull?.firstOpenMs ?? null,
      hull?.lastOpenMs ?? null,
    );
}

/** Records the new place of responses whose bytes were copied. */
export function* movePages(pages: readonly Pick<PageEntry, 'id' | 'segment' | 'offset'>[]): Operation<void> {
  for (const { id, segment, offset } of pages)
    yield* exec('update bronze_pages set segment = $2, byte_offset = $3 where id = $1', id, segment, offset);
}

/** Removes responses from the index for good. */
export function* deletePages(ids: readonly string[]): Operation<void> {
  for (const id of ids) yield* exec('delete from bronze_pages where id = $1', id);
}

/** The whole index. */
export function* everyPage(): Operation<readonly PageEntry[]> {
  return (yield* all<PageRow>('select * from bronze_pages order by fetched_at, id')).map(toPage);
}

/** Series with used or damaged responses, and the range that these cover. */
export function* coveredSeries(): Operation<readonly (Series & TimeRange)[]> {
  const rows = yield* all<
    Pick<PageRow, 'exchange' | 'symbol' | 'candle_interval'> & { from_ms: number; to_ms: number }
  >(
    `select exchange, symbol, candle_interval, min(range_from) as from_ms, max(range_to) as to_ms from bronze_pages
     where rejected is null or rejected = $1 group by exchange, candle_interval, symbol
     order by exchange, candle_interval, symbol`,
    'ANSWER_DAMAGED' satisfies FaultCode,
  );
  return rows.map((row) => ({
    exchange: row.exchange,
    symbol: row.symbol,
    interval: row.candle_interval,
    fromMs: row.from_ms,
    toMs: row.to_ms,
  }));
}

/** Ranges covered by damaged responses and by no used one, by symbol. */
export function* damagedRanges(
  of: Omit<Series, 'symbol'>,
  range: TimeRange,
): Operation<ReadonlyMap<string, readonly TimeRange[]>> {
  const rows = yield* all<PageRow>(
    `select * from bronze_pages where exchange = $1 and candle_interval = $2
       and range_from > $3 and range_from < $5 and range_to > $4 and rejected = $6`,
    of.exchange,
    of.interval,
    range.fromMs - CANDLES_PER_PAGE_MAX * intervalMs(of.interval),
    range.fromMs,
    range.toMs,
    'ANSWER_DAMAGED' satisfies FaultCode,
  );
  const found = new Map<string, readonly TimeRange[]>();
  for (const [symbol, pages] of Map.groupBy(rows.map(toPage), (page) => page.series.symbol)) {
    const left = subtractRanges(
      pages.map((page) => page.range),
      yield* coverageOf({ ...of, symbol }, range),
    );
    if (left.length > 0) found.set(symbol, intersectRanges(left, [range]));
  }
  return found;
}

const toPage = (row: PageRow): PageEntry => ({
  id: row.id,
  series: { exchange: row.exchange, symbol: row.symbol, interval: row.candle_interval },
  range: { fromMs: row.range_from, toMs: row.range_to },
  rejected: row.rejected,
  rows: row.rows_total,
  hull:
    row.first_open === null || row.last_open === null
      ? null
      : { firstOpenMs: row.first_open, lastOpenMs: row.last_open },
  segment: row.segment,
  offset: row.byte_offset,
  length: row.byte_length,
  sha256: row.sha256,
  fetchedAtMs: row.fetched_at,
  runId: row.run_id,
});
