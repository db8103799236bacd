import { PARKED_TRIES_MIN, REQUESTS_PER_PAGE_MAX, SLEEP_MS_MAX, type Backoff } from '../../errors/schedule.ts';
import { ruleOf, type FaultCode } from '../../errors/table.ts';
import { backoffMs } from './backoff.ts';

/**
 * Why no further request is sent. After `deadline`, `budget` and `parked` nothing is requested before a stored
 * time. `breaker`: the breaker was open, and the fault is the one that opened it.
 */
export type StopReason = 'tries' | 'deadline' | 'permanent' | 'budget' | 'parked' | 'breaker' | 'cancelled';

/** How one kind of failure is retried. */
export interface RetryPolicy {
  /** Attempts that may end with this failure, the first included. */
  readonly triesMax: number;
  readonly backoff: Backoff | null;
  /** `parked`: the server asked us to stay away, so used-up attempts leave a time before which nothing is requested. */
  readonly whenUsedUp: 'tries' | 'parked';
}

/** What has happened so far, the failure at hand included. */
export interface AttemptHistory {
  /** Attempts that ended with this kind of failure. */
  readonly tries: number;
  /** Attempts of any ending, and how many there may be. */
  readonly attempts: number;
  readonly attemptsMax: number;
  /** Since the first attempt began; admission waits before it do not count. */
  readonly elapsedMs: number;
  readonly deadlineMs: number;
  /** How long the server asked us to stay away, from now; null when it did not say. */
  readonly hintMs: number | null;
}

export type RetryDecision =
  | { readonly do: 'retry'; readonly waitMs: number; readonly tries: number; readonly triesMax: number }
  | { readonly do: 'stop'; readonly why: Exclude<StopReason, 'cancelled'>; readonly notBeforeInMs: number | null };

/**
 * The retry policy of a row of the fault table; null for a permanent fault.
 *
 * A code whose consequence is `parked` gets at least two attempts: a ban of 20 seconds then costs 20 seconds
 * instead of a run.
 */
export function retryPolicyOf(code: FaultCode): RetryPolicy | null {
  const { kind, triesMax, backoff, consequence } = ruleOf(code);
  if (kind === 'permanent') return null;
  return consequence === 'parked'
    ? { triesMax: Math.max(triesMax, PARKED_TRIES_MIN), backoff, whenUsedUp: 'parked' }
    : { triesMax, backoff, whenUsedUp: 'tries' };
}

/**
 * Decides what follows a failed attempt. The wait is the larger of our backoff and the server's hint, and nothing
 * shortens it: a wait that is too long to sleep parks the work instead. `chance` in [0, 1).
 */
export function decide(policy: RetryPolicy | null, history: AttemptHistory, chance: number): RetryDecision {
  if (policy === null) return { do: 'stop', why: 'permanent', notBeforeInMs: null };
  const { tries, attempts, attemptsMax, elapsedMs, deadlineMs, hintMs } = history;
  const { triesMax, backoff, whenUsedUp } = policy;
  const waitMs = backoffMs(backoff, tries, { chance, hintMs });
  if (waitMs > SLEEP_MS_MAX) return { do: 'stop', why: 'parked', notBeforeInMs: waitMs };
  if (tries >= triesMax || attempts >= Math.min(attemptsMax, REQUESTS_PER_PAGE_MAX))
    return {
      do: 'stop',
      why: whenUsedUp,
      notBeforeInMs: whenUsedUp === 'parked' ? Math.max(waitMs, SLEEP_MS_MAX) : null,
    };
  if (elapsedMs + waitMs > deadlineMs) return { do: 'stop', why: 'deadline', notBeforeInMs: waitMs };
  return { do: 'retry', waitMs, tries, triesMax };
}
