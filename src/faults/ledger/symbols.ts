import { all, exec, first, type Operation } from '../../kernel/store.ts';
import type { Series } from '../../market/candle.ts';
import type { Exchange } from '../../market/exchange.ts';
import type { MarketSymbol } from '../../market/symbol.ts';
import type { FaultCode } from '../taxonomy/table.ts';

/** A symbol taken off the active list, and why. */
export interface RemovedSymbol {
  readonly exchange: Exchange;
  readonly symbol: MarketSymbol;
  readonly code: FaultCode;
  readonly reason: string;
  readonly changedAtMs: number;
}

export function* removeSymbol(removed: RemovedSymbol): Operation<void> {
  yield* exec(
    `insert into symbols (exchange, symbol, state, code, reason, changed_at) values ($1, $2, 'removed', $3, $4, $5)
     on conflict (exchange, symbol) do update set state = 'removed', code = excluded.code, reason = excluded.reason, changed_at = excluded.changed_at`,
    removed.exchange, removed.symbol, removed.code, removed.reason, removed.changedAtMs,
  );
}

export function* removedSymbols(): Operation<readonly RemovedSymbol[]> {
  const rows = yield* all<{ exchange: Exchange; symbol: string; code: FaultCode; reason: string; changed_at: number }>(
    `select exchange, symbol, code, reason, changed_at from symbols where state = 'removed' order by exchange, symbol`,
  );
  return rows.map(({ changed_at, ...row }) => ({ ...row, changedAtMs: changed_at }));
}

/** Where a series begins, as a venue told us at `seenAtMs`. */
export interface FirstCandle {
  readonly openMs: number;
  readonly seenAtMs: number;
}

export function* recordFirstCandle(series: Series, seen: FirstCandle): Operation<void> {
  yield* exec(
    `insert into first_candles (exchange, symbol, candle_interval, open_ms, seen_at) values ($1, $2, $3, $4, $5)
     on conflict (exchange, symbol, candle_interval) do update set open_ms = excluded.open_ms, seen_at = excluded.seen_at`,
    series.exchange, series.symbol, series.interval, seen.openMs, seen.seenAtMs,
  );
}

export function* firstCandleOf(series: Series): Operation<FirstCandle | null> {
  const row = yield* first<{ open_ms: number; seen_at: number }>(
    'select open_ms, seen_at from first_candles where exchange = $1 and symbol = $2 and candle_interval = $3',
    series.exchange, series.symbol, series.interval,
  );
  return row === null ? null : { openMs: row.open_ms, seenAtMs: row.seen_at };
}
