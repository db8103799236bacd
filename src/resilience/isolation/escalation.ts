import type { MarketSymbol } from '../../domain/symbol.ts';
import type { Fault } from '../../errors/errors.ts';
import { ruleOf, type FaultCode } from '../../errors/table.ts';
import { quorumOf } from './quorum.ts';

/** Fewer symbols than this may fail with the same code by chance. */
const SYMBOLS_MIN = 3;

/** A fault that most symbols share, so that its cause is the exchange. */
export interface Escalation {
  readonly code: FaultCode;
  readonly symbols: readonly MarketSymbol[];
  /** The fault of one of them. */
  readonly example: Fault;
}

/**
 * The fault with which more than half of the requested symbols failed, or null. Faults that always concern the whole
 * exchange are not counted, nor are removals, which the exchange's own list confirmed.
 */
export function escalationOf(
  failures: readonly { readonly symbol: MarketSymbol; readonly fault: Fault }[],
  requested: number,
): Escalation | null {
  const byCode = Map.groupBy(
    failures.filter(({ fault }) => ruleOf(fault.code).consequence === 'failed'),
    ({ fault }) => fault.code,
  );
  for (const [code, alike] of byCode) {
    const [first] = alike;
    if (first !== undefined && alike.length >= SYMBOLS_MIN && quorumOf(requested, alike.length) === 'lost')
      return { code, symbols: alike.map(({ symbol }) => symbol), example: first.fault };
  }
  return null;
}
