import type { Operation } from '../platform/ports/store.ts';
import { all, exec, first } from '../platform/statements.ts';
import type { Series } from '../domain/candle.ts';
import type { Exchange } from '../domain/exchange.ts';
import type { Interval } from '../domain/interval.ts';
import type { Day } from '../domain/partition.ts';
import type { MarketSymbol } from '../domain/symbol.ts';
import type { Account } from '../domain/account.ts';
import type { CellState } from '../domain/cell.ts';
import type { Gap, WantedGaps } from '../domain/gap.ts';
import {
  truncatedFromText,
  truncatedToText,
  flatFromText,
  flatToText,
  gapsFromText,
  gapsToText,
  pendingPattern,
} from './cell-text.ts';
import { REMOVED_SYMBOL_RECHECK_MS } from '../errors/schedule.ts';

interface CellRow {
  readonly exchange: Exchange;
  readonly symbol: MarketSymbol;
  readonly candle_interval: Interval;
  readonly day: Day;
  readonly expected: number;
  readonly present: number;
  readonly no_trades: number;
  readonly outage: number;
  readonly quarantined: number;
  readonly pending: number;
  readonly gaps: string;
  readonly flat: string;
  /** Truncated candles. */
  readonly cut: string;
  /** `attempts` of the cell. */
  readonly looks: number;
  readonly pending_since: number | null;
  readonly next_attempt_at: number | null;
  readonly not_before: number | null;
}

/** Replaces these cells. The table rejects an account that does not balance. */
export function* recordCells(
  cells: readonly CellState[],
  by: { readonly runId: string; readonly nowMs: number },
): Operation<void> {
  for (const cell of cells) {
    const { expected, present, no_trades, outage, quarantined, pending } = cell.account;
    yield* exec(
      `insert into cells (exchange, symbol, candle_interval, day, expected, present, no_trades, outage, quarantined,
         pending, gaps, flat, cut, looks, pending_since, next_attempt_at, not_before, run_id, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
       on conflict (exchange, candle_interval, symbol, day) do update set expected = excluded.expected,
         present = excluded.present, no_trades = excluded.no_trades, outage = excluded.outage,
         quarantined = excluded.quarantined, pending = excluded.pending, gaps = excluded.gaps, flat = excluded.flat,
         cut = excluded.cut, looks = excluded.looks, pending_since = excluded.pending_since,
         next_attempt_at = excluded.next_attempt_at, not_before = excluded.not_before,
         run_id = excluded.run_id, updated_at = excluded.updated_at`,
      cell.exchange,
      cell.symbol,
      cell.interval,
      cell.day,
      expected,
      present,
      no_trades,
      outage,
      quarantined,
      pending,
      gapsToText(cell.day, cell.gaps),
      flatToText(cell.day, cell.flat),
      truncatedToText(cell.cut),
      cell.attempts,
      cell.pendingSinceMs,
      cell.nextAttemptAtMs,
      cell.notBeforeMs,
      by.runId,
      by.nowMs,
    );
  }
}

/** Cells of one series, by day; days without a record are left out. */
export function* cellsOfSeries(
  series: Series,
  days: { readonly start: Day; readonly end: Day },
): Operation<readonly CellState[]> {
  const rows = yield* all<CellRow>(
    `select * from cells where exchange = $1 and candle_interval = $2 and symbol = $3 and day between $4 and $5
     order by day`,
    series.exchange,
    series.interval,
    series.symbol,
    days.start,
    days.end,
  );
  return rows.map(toCell);
}

/** The part of a cell that the account needs. */
export interface CellAccount extends Pick<CellState, 'day' | 'account' | 'nextAttemptAtMs'> {
  /** Parsed at each call, oldest first. */
  gaps(wanted: WantedGaps): readonly Gap[];
}

/** The accounts of one series, by day; days without a record are left out. */
export function* accountsOfSeries(
  series: Series,
  days: { readonly start: Day; readonly end: Day },
): Operation<readonly CellAccount[]> {
  const rows = yield* all<Pick<CellRow, keyof Account | 'day' | 'gaps' | 'next_attempt_at'>>(
    `select day, expected, present, no_trades, outage, quarantined, pending, gaps, next_attempt_at from cells
     where exchange = $1 and candle_interval = $2 and symbol = $3 and day between $4 and $5 order by day`,
    series.exchange,
    series.interval,
    series.symbol,
    days.start,
    days.end,
  );
  return rows.map((row) => ({
    day: row.day,
    account: toAccount(row),
    nextAttemptAtMs: row.next_attempt_at,
    gaps: (wanted) => gapsFromText(row.day, row.gaps, wanted),
  }));
}

/** Leaves out symbols removed by a person, and those removed by a fault whose recheck is not due yet. */
const isActive = (
  recheckSince: '$1' | '$3',
): string => `not exists (select 1 from symbols where symbols.exchange = cells.exchange
  and symbols.symbol = cells.symbol and symbols.state = 'removed'
  and (symbols.code is null or symbols.changed_at > ${recheckSince}))`;

/** Cells of all symbols of an exchange and interval, by symbol and day. */
export function* cellsOfVenue(
  venue: Omit<Series, 'symbol'>,
  days: { readonly start: Day; readonly end: Day },
): Operation<readonly CellState[]> {
  const rows = yield* all<CellRow>(
    'select * from cells where exchange = $1 and candle_interval = $2 and day between $3 and $4 order by symbol, day',
    venue.exchange,
    venue.interval,
    days.start,
    days.end,
  );
  return rows.map(toCell);
}

/** Cells whose next attempt is due by `nowMs`, earliest first. */
export function* cellsToHeal(nowMs: number, limit: number): Operation<readonly CellState[]> {
  const rows = yield* all<CellRow>(
    `select * from cells where next_attempt_at is not null and next_attempt_at <= $1
       and (not_before is null or not_before <= $1) and ${isActive('$3')}
     order by next_attempt_at, exchange, symbol, day limit $2`,
    nowMs,
    limit,
    nowMs - REMOVED_SYMBOL_RECHECK_MS,
  );
  return rows.map(toCell);
}

/** Every incomplete cell, for healing that a person requested now. Only a wait set by the exchange is still kept. */
export function* incompleteCells(nowMs: number, limit: number): Operation<readonly CellState[]> {
  const rows = yield* all<CellRow>(
    `select * from cells where pending + quarantined > 0
       and (not_before is null or not_before <= $1) and ${isActive('$3')}
     order by day desc, exchange, symbol limit $2`,
    nowMs,
    limit,
    nowMs - REMOVED_SYMBOL_RECHECK_MS,
  );
  return rows.map(toCell);
}

/** Pending cells of an exchange under one code. */
export interface PendingCells {
  readonly cells: number;
  readonly symbols: number;
  readonly nextAttemptAtMs: number;
}

/**
 * Cells of the exchange with candles pending under this code; null when there is none. `missedByMs`: only cells that
 * were pending already at that time and were requested at least twice.
 */
export function* pendingBy(
  exchange: Exchange,
  code: string,
  missedByMs: number | null = null,
): Operation<PendingCells | null> {
  const row = yield* first<{ cells: number; symbols: number; next: number | null }>(
    // A pending candle has a next attempt; the index on it finds the few pending cells among millions.
    `select count(*) as cells, count(distinct symbol) as symbols, min(next_attempt_at) as next from cells
     where next_attempt_at is not null and pending > 0 and exchange = $1 and gaps like $2
       and (cast($3 as bigint) is null or (pending_since <= $3 and looks > 1))`,
    exchange,
    pendingPattern(code),
    missedByMs,
  );
  return row === null || row.next === null
    ? null
    : { cells: row.cells, symbols: row.symbols, nextAttemptAtMs: row.next };
}

/** Pending candles of the whole ledger, and the earliest next attempt. */
export function* pendingInLedger(
  nowMs: number,
): Operation<{ readonly pending: number; readonly nextAttemptAtMs: number | null }> {
  const row = yield* first<{ pending: number | null; next: number | null }>(
    `select sum(pending) as pending, min(case when ${isActive('$1')} then next_attempt_at end) as next
     from cells where pending > 0`,
    nowMs - REMOVED_SYMBOL_RECHECK_MS,
  );
  return { pending: row?.pending ?? 0, nextAttemptAtMs: row?.next ?? null };
}

/** Totals of the whole ledger by exchange and interval. */
export interface LedgerTotal {
  readonly exchange: Exchange;
  readonly interval: Interval;
  readonly symbols: number;
  readonly cells: number;
  readonly firstDay: Day;
  readonly lastDay: Day;
  readonly expected: number;
  readonly present: number;
  readonly no_trades: number;
  readonly outage: number;
  readonly quarantined: number;
  readonly pending: number;
}

export function* ledgerTotals(): Operation<readonly LedgerTotal[]> {
  const rows = yield* all<
    Omit<LedgerTotal, 'interval' | 'firstDay' | 'lastDay'> & {
      candle_interval: Interval;
      first_day: Day;
      last_day: Day;
    }
  >(
    `select exchange, candle_interval, count(distinct symbol) as symbols, count(*) as cells,
       min(day) as first_day, max(day) as last_day, sum(expected) as expected, sum(present) as present,
       sum(no_trades) as no_trades, sum(outage) as outage,
       sum(quarantined) as quarantined, sum(pending) as pending
     from cells group by exchange, candle_interval order by exchange, candle_interval`,
  );
  return rows.map(({ candle_interval, first_day, last_day, ...sums }) => ({
    ...sums,
    interval: candle_interval,
    firstDay: first_day,
    lastDay: last_day,
  }));
}

const toAccount = ({ expected, present, no_trades, outage, quarantined, pending }: Account): Account => ({
  expected,
  present,
  no_trades,
  outage,
  quarantined,
  pending,
});

/** Gaps are parsed on first access: a year of one-minute candles may have 262,800, every other candle. */
function toCell(row: CellRow): CellState {
  const { exchange, symbol, candle_interval: interval, day } = row;
  let gaps: readonly Gap[] | null = null;
  return {
    exchange,
    symbol,
    interval,
    day,
    account: toAccount(row),
    get gaps() {
      return (gaps ??= gapsFromText(day, row.gaps));
    },
    flat: flatFromText(day, row.flat),
    cut: truncatedFromText(row.cut),
    attempts: row.looks,
    pendingSinceMs: row.pending_since,
    nextAttemptAtMs: row.next_attempt_at,
    notBeforeMs: row.not_before,
  };
}
