import type { ExchangeFaultCode } from '../../errors/errors.ts';
import { SUSPICION_CHECK_MS } from '../../errors/schedule.ts';
import { isUnresponsive } from './breaker.ts';
import type { BreakerClosure, PageEnd } from '../policies.ts';

/** So many attempts in a row without an answer, whatever page they were for, put a venue in doubt: more than chance brings together. */
const SILENT_IN_ROW_MAX = 8;
/** Pages that go on trying meanwhile, each of another symbol: two rounds of them open the breaker. */
const TRYING_MAX = 5;

export interface Suspicion {
  /** Null lets the page try. */
  admit(page: string, symbol: string | null, nowMs: number): BreakerClosure | null;
  /** How an attempt ended, for whatever page. */
  observe(as: PageEnd['as']): void;
  /** The page has ended. */
  leave(page: string): void;
}

/**
 * Before the breaker opens: a few pages find out whether a venue that answers nobody answers again, and the
 * others wait without using up their tries and the venue's retry budget. A short silence so costs a few
 * pages, not every page that happened to be under way. The first answer ends it.
 */
export function exchangeSuspicion(): Suspicion {
  const trying = new Map<string, string | null>();
  let silentInRow = 0;
  let code: ExchangeFaultCode = 'CONNECTION_FAILED';
  return {
    admit: (page, symbol, nowMs) => {
      if (silentInRow < SILENT_IN_ROW_MAX || trying.has(page)) return null;
      if (trying.size >= TRYING_MAX || [...trying.values()].includes(symbol))
        return { phase: 'in-doubt', code, untilMs: nowMs + SUSPICION_CHECK_MS };
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
