import type { MarketSymbol } from '../../domain/symbol.ts';
import type { Fault } from '../../errors/errors.ts';
import { ruleOf, type FaultCode } from '../../errors/table.ts';
import { quorumOf } from './quorum.ts';

/** Fewer symbols than this may fail alike by chance. */
const SYMBOLS_MIN = 3;

/** One fault that so many symbols of a venue met that it is the venue's, not theirs. */
export interface Escalation {
  readonly code: FaultCode;
  readonly symbols: readonly MarketSymbol[];
  /** How one of them met it. */
  readonly example: Fault;
}

/**
 * The fault that more than half of the asked symbols failed with, if there is one. Faults that concern
 * the venue by their nature need no vote, and a removal was confirmed by the venue's own list.
 */
export function escalationOf(
  failures: readonly { readonly symbol: MarketSymbol; readonly fault: Fault }[],
  asked: number,
): Escalation | null {
  const byCode = Map.groupBy(
    failures.filter(({ fault }) => ruleOf(fault.code).consequence === 'failed'),
    ({ fault }) => fault.code,
  );
  for (const [code, alike] of byCode) {
    const [first] = alike;
    if (first !== undefined && alike.length >= SYMBOLS_MIN && quorumOf(asked, alike.length) === 'lost')
      return { code, symbols: alike.map(({ symbol }) => symbol), example: first.fault };
  }
  return null;
}
