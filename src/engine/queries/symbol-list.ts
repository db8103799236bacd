import type { Exchange } from '../../domain/exchange.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import { recheckAtMs, removedSymbols, symbolHistory, type SymbolChange } from '../../state/symbols.ts';
import type { FaultCode } from '../../errors/table.ts';
import type { Markets } from '../core/symbol-resolution.ts';
import type { StateAccess } from '../core/pipeline.ts';

/** `disabled`: a person took it off the active list. `removed`: its exchange does not list it. */
export type SymbolState = 'active' | 'disabled' | 'removed';

export interface ListedSymbol {
  readonly exchange: Exchange;
  readonly symbol: MarketSymbol;
  readonly state: SymbolState;
  readonly code: FaultCode | null;
  readonly reason: string | null;
  readonly sinceMs: number | null;
  /** When the exchange's list is checked again for a removed symbol; null when only a person changes the state. */
  readonly nextCheckAtMs: number | null;
}

/** Every configured symbol, and every disabled or removed one with the reason. */
export async function listSymbols(
  { ports }: Pick<StateAccess, 'ports'>,
  markets: Markets,
): Promise<readonly ListedSymbol[]> {
  const removed = await ports.store.read(removedSymbols);
  const off = removed.map(
    (one): ListedSymbol => ({
      exchange: one.exchange,
      symbol: one.symbol,
      state: one.code === null ? 'disabled' : 'removed',
      code: one.code,
      reason: one.reason,
      sinceMs: one.changedAtMs,
      nextCheckAtMs: recheckAtMs(one),
    }),
  );
  const isOff = (exchange: Exchange, symbol: MarketSymbol): boolean =>
    off.some((one) => one.exchange === exchange && one.symbol === symbol);
  const active = [...markets].flatMap(([exchange, symbols]) =>
    symbols
      .filter((symbol) => !isOff(exchange, symbol))
      .map(
        (symbol): ListedSymbol => ({
          exchange,
          symbol,
          state: 'active',
          code: null,
          reason: null,
          sinceMs: null,
          nextCheckAtMs: null,
        }),
      ),
  );
  return [...active, ...off].toSorted((a, b) => (a.exchange === b.exchange ? 0 : a.exchange < b.exchange ? -1 : 1));
}

export const historyOfSymbols = ({ ports }: Pick<StateAccess, 'ports'>): Promise<readonly SymbolChange[]> =>
  ports.store.read(symbolHistory);
