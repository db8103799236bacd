import type { Exchange } from '../../domain/exchange.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import { removeSymbol, restoreSymbol } from '../../state/symbols.ts';
import type { StateAccess } from '../core/pipeline.ts';

/** One symbol of some exchanges, and why its state changes. */
export interface SymbolRequest {
  readonly exchanges: readonly Exchange[];
  readonly symbol: MarketSymbol;
  readonly reason: string;
}

/** Takes a symbol off the active list until a person puts it back. Its due candles stay in the account. */
export async function disableSymbol(
  { ports }: Pick<StateAccess, 'ports'>,
  { exchanges, symbol, reason }: SymbolRequest,
): Promise<void> {
  const changedAtMs = ports.clock.nowMs();
  await ports.store.transact(function* disableSymbol() {
    for (const exchange of exchanges) yield* removeSymbol({ exchange, symbol, code: null, reason, changedAtMs });
  });
}

/** Puts a symbol back on the active list. Returns the exchanges whose list did not have it. */
export async function enableSymbol(
  { ports }: Pick<StateAccess, 'ports'>,
  { exchanges, symbol, reason }: SymbolRequest,
): Promise<readonly Exchange[]> {
  const changedAtMs = ports.clock.nowMs();
  return ports.store.transact(function* enableSymbol() {
    const restored: Exchange[] = [];
    for (const exchange of exchanges)
      if (yield* restoreSymbol({ exchange, symbol, reason, changedAtMs })) restored.push(exchange);
    return restored;
  });
}
