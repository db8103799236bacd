import type { Migration, Operation } from '../platform/ports/store.ts';
import { exec, first } from '../platform/statements.ts';
import type { Exchange } from '../domain/exchange.ts';
import type { MarketSymbol } from '../domain/symbol.ts';

/**
 * The symbols of a pattern or ranking at its last resolution, stored so that the account does not change in between.
 */
export interface ResolvedChoice {
  readonly exchange: Exchange;
  /** Canonical spelling of the choice. */
  readonly choice: string;
  readonly symbols: readonly MarketSymbol[];
  readonly resolvedAtMs: number;
}

export const MARKETS_1: Migration = {
  name: 'markets 1: what patterns and rankings stand for',
  statements: [
    `create table market_choices (
      exchange text not null,
      choice text not null,
      symbols text not null,
      resolved_at bigint not null,
      primary key (exchange, choice)
    )`,
  ],
};

export function* resolvedChoice(exchange: Exchange, choice: string): Operation<ResolvedChoice | null> {
  const row = yield* first<{ symbols: string; resolved_at: number }>(
    'select symbols, resolved_at from market_choices where exchange = $1 and choice = $2',
    exchange,
    choice,
  );
  return row === null
    ? null
    : { exchange, choice, symbols: JSON.parse(row.symbols) as MarketSymbol[], resolvedAtMs: row.resolved_at };
}

export function* recordResolvedChoice({ exchange, choice, symbols, resolvedAtMs }: ResolvedChoice): Operation<void> {
  yield* exec(
    `insert into market_choices (exchange, choice, symbols, resolved_at) values ($1, $2, $3, $4)
     on conflict (exchange, choice) do update set symbols = excluded.symbols, resolved_at = excluded.resolved_at`,
    exchange,
    choice,
    JSON.stringify(symbols),
    resolvedAtMs,
  );
}
