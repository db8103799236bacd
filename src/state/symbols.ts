import type { Operation } from '../platform/ports/store.ts';
import { all, exec, first } from '../platform/statements.ts';
import type { Series } from '../domain/candle.ts';
import type { Exchange } from '../domain/exchange.ts';
import type { MarketSymbol } from '../domain/symbol.ts';
import { REMOVED_SYMBOL_RECHECK_MS } from '../errors/schedule.ts';
import type { FaultCode } from '../errors/table.ts';

/** A symbol removed from the active list, and why. */
export interface RemovedSymbol {
  readonly exchange: Exchange;
  readonly symbol: MarketSymbol;
  /** The fault that removed it; null when a person removed it. */
  readonly code: FaultCode | null;
  readonly reason: string;
  readonly changedAtMs: number;
}

/** One entry of a symbol's history. */
export interface SymbolChange extends RemovedSymbol {
  readonly state: 'active' | 'removed';
}

/** When a removed symbol is requested again; null when only a person can restore it. */
export const recheckAtMs = ({ code, changedAtMs }: RemovedSymbol): number | null =>
  code === null ? null : changedAtMs + REMOVED_SYMBOL_RECHECK_MS;

export const isLeftAlone = (removed: RemovedSymbol, nowMs: number): boolean =>
  (recheckAtMs(removed) ?? Infinity) > nowMs;

export const removeSymbol = (removed: RemovedSymbol): Operation<void> => recordChange({ ...removed, state: 'removed' });

/** Puts a symbol back on the active list. Returns false when it was not removed. */
export function* restoreSymbol(restored: Omit<RemovedSymbol, 'code'>): Operation<boolean> {
  const { exchange, symbol } = restored;
  const known = yield* first<{ state: string }>(
    'select state from symbols where exchange = $1 and symbol = $2',
    exchange,
    symbol,
  );
  if (known?.state !== 'removed') return false;
  yield* recordChange({ ...restored, code: null, state: 'active' });
  return true;
}

function* recordChange({ exchange, symbol, changedAtMs, state, code, reason }: SymbolChange): Operation<void> {
  yield* exec(
    `insert into symbol_changes (exchange, symbol, changed_at, state, code, reason) values ($1, $2, $3, $4, $5, $6)
     on conflict (exchange, symbol, changed_at)
     do update set state = excluded.state, code = excluded.code, reason = excluded.reason`,
    exchange,
    symbol,
    changedAtMs,
    state,
    code,
    reason,
  );
}

type ChangeRow = Omit<SymbolChange, 'changedAtMs'> & { readonly changed_at: number };
const toChange = ({ changed_at, ...row }: ChangeRow): SymbolChange => ({ ...row, changedAtMs: changed_at });

export function* removedSymbols(): Operation<readonly RemovedSymbol[]> {
  const rows = yield* all<ChangeRow>(
    `select exchange, symbol, code, reason, changed_at from symbols where state = 'removed' order by exchange, symbol`,
  );
  return rows.map(toChange);
}

/** Every removal and return, oldest first. */
export function* symbolHistory(): Operation<readonly SymbolChange[]> {
  return (yield* all<ChangeRow>('select * from symbol_changes order by changed_at, exchange, symbol')).map(toChange);
}

/** True when the exchange ever had this symbol: a cell or its first candle is recorded. */
export function* wasEverListed(exchange: Exchange, symbol: MarketSymbol): Operation<boolean> {
  const seen = yield* first(
    `select 1 as seen where exists (select 1 from cells where exchange = $1 and symbol = $2)
       or exists (select 1 from first_candles where exchange = $1 and symbol = $2)`,
    exchange,
    symbol,
  );
  return seen !== null;
}

/** The first candle of a series, as its exchange reported it at `seenAtMs`. */
export interface FirstCandle {
  readonly openMs: number;
  readonly seenAtMs: number;
}

export function* recordFirstCandle(series: Series, seen: FirstCandle): Operation<void> {
  yield* exec(
    `insert into first_candles (exchange, symbol, candle_interval, open_ms, seen_at) values ($1, $2, $3, $4, $5)
     on conflict (exchange, symbol, candle_interval)
     do update set open_ms = excluded.open_ms, seen_at = excluded.seen_at`,
    series.exchange,
    series.symbol,
    series.interval,
    seen.openMs,
    seen.seenAtMs,
  );
}

export function* firstCandleOf(series: Series): Operation<FirstCandle | null> {
  const row = yield* first<{ open_ms: number; seen_at: number }>(
    'select open_ms, seen_at from first_candles where exchange = $1 and symbol = $2 and candle_interval = $3',
    series.exchange,
    series.symbol,
    series.interval,
  );
  return row === null ? null : { openMs: row.open_ms, seenAtMs: row.seen_at };
}
