import { forEachConcurrent } from '../../platform/concurrency.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import type { Fault } from '../../errors/errors.ts';
import { classify } from '../../errors/classify.ts';

/**
 * The outcome of one symbol. Partial success is a value, not an exception: this union is the only
 * place where a failure is returned instead of thrown.
 */
export type SymbolOutcome<T> =
  | { readonly symbol: MarketSymbol; readonly ok: true; readonly value: T }
  | { readonly symbol: MarketSymbol; readonly ok: false; readonly fault: Fault };

export interface IsolationOptions {
  readonly concurrencyMax: number;
  readonly signal: AbortSignal;
  /** True when this fault concerns every symbol of the asset: no further symbol is started. */
  readonly endsAsset: (fault: Fault) => boolean;
}

/** What the work on one symbol can observe. */
export interface IsolatedWork {
  readonly signal: AbortSignal;
  /** The fault that has ended the asset for every symbol; null while it goes on. */
  readonly endedBy: () => Fault | null;
}

/**
 * Runs `work` for every symbol, at most `concurrencyMax` at a time. A fault stays with its symbol;
 * a defect or a cancellation stops everything and is thrown once the running work has ended.
 * Symbols not started when the asset ended are absent from the result.
 */
export async function isolateSymbols<T>(
  symbols: readonly MarketSymbol[],
  options: IsolationOptions,
  work: (symbol: MarketSymbol, at: IsolatedWork) => Promise<T>,
): Promise<SymbolOutcome<T>[]> {
  const outcomes: SymbolOutcome<T>[] = [];
  let endedBy: Fault | null = null;
  await forEachConcurrent(farApart(symbols), options.concurrencyMax, async (symbol) => {
    if (endedBy !== null) return;
    try {
      options.signal.throwIfAborted();
      outcomes.push({
        symbol,
        ok: true,
        value: await work(symbol, { signal: options.signal, endedBy: () => endedBy }),
      });
    } catch (error) {
      const verdict = classify(error);
      if (verdict.verdict !== 'fault') throw error;
      outcomes.push({ symbol, ok: false, fault: verdict.fault });
      if (options.endsAsset(verdict.fault)) endedBy ??= verdict.fault;
    }
  });
  return outcomes.toSorted((a, b) => symbols.indexOf(a.symbol) - symbols.indexOf(b.symbol));
}

/** The golden ratio's fraction: multiples of it fall evenly between each other. */
const GOLDEN_FRACTION = 0.618_033_988_749_895;

/**
 * The symbols in an order that separates neighbours. Neighbours in a list often fail together; mixed, one successful
 * symbol shows early that the exchange responds.
 */
const farApart = (symbols: readonly MarketSymbol[]): MarketSymbol[] =>
  symbols
    .map((symbol, at) => ({ symbol, place: (at * GOLDEN_FRACTION) % 1 }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ symbol }) => symbol);
