import type { ExchangeFaultCode } from '../../errors/errors.ts';
import { SUSPICION_CHECK_MS } from '../../errors/schedule.ts';
import { isUnresponsive } from './breaker.ts';
import type { BreakerClosure, PageEnd } from '../policies.ts';

/** Attempts in a row without a response, over all pages, that make an exchange suspected: more than chance explains. */
const SILENT_IN_ROW_MAX = 8;
/** Pages that keep trying meanwhile, each of another symbol: two rounds of them open the breaker. */
const TRYING_MAX = 5;

export interface Suspicion {
  /** Null admits the page. */
  admit(page: string, symbol: string | null, nowMs: number): BreakerClosure | null;
  /** How an attempt of any page ended. */
  observe(as: PageEnd['as']): void;
  /** The page has ended. */
  leave(page: string): void;
}

/**
 * Before the breaker opens: a few pages keep trying, and the others wait without spending attempts and retry budget.
 * A short stall then costs a few pages instead of every page in flight. The first response ends the suspicion.
 */
export function exchangeSuspicion(): Suspicion {
  const trying = new Map<string, string | null>();
  let silentInRow = 0;
  let code: ExchangeFaultCode = 'CONNECTION_FAILED';
  return {
    admit: (page, symbol, nowMs) => {
      if (silentInRow < SILENT_IN_ROW_MAX || trying.has(page)) return null;
      if (trying.size >= TRYING_MAX || [...trying.values()].includes(symbol))
        return { phase: 'suspected', code, untilMs: nowMs + SUSPICION_CHECK_MS };
      trying.set(page, symbol);
      return null;
    },
    observe: (as) => {
      if (as === 'undecided') return;
      silentInRow = isUnresponsive(as) ? silentInRow + 1 : 0;
      if (isUnresponsive(as)) code = as;
      else trying.clear();
    },
    leave: (page) => void trying.delete(page),
  };
}
