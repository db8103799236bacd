import type { ExchangeAPIError } from '../../errors/errors.ts';
import { REQUESTS_PER_PAGE_MAX, ruleOf, SLEEP_MS_MAX, type FaultCode } from '../../errors/table.ts';
import { backoffMs } from './backoff.ts';

/**
 * Why no further request is sent for a page. `deadline`, `budget` and `parked` keep a time before which
 * nobody asks; a page that the `breaker` kept from being asked failed with the code that opened it.
 */
export type StopReason = 'tries' | 'deadline' | 'permanent' | 'budget' | 'parked' | 'breaker' | 'cancelled';

/** What has happened to one page so far, the failure at hand included. */
export interface PageHistory {
  /** Requests that ended with each code. */
  readonly triesByCode: Readonly<Partial<Record<FaultCode, number>>>;
  readonly requests: number;
  /** Since the first attempt began; waits of the limiter before it do not count. */
  readonly elapsedMs: number;
  readonly deadlineMs: number;
  /** Requests for this page whatever the mix of codes; the table's number is never exceeded. */
  readonly requestsMax: number;
}

export type RetryDecision =
  | { readonly do: 'retry'; readonly waitMs: number; readonly tries: number; readonly triesMax: number }
  | { readonly do: 'stop'; readonly why: Exclude<StopReason, 'cancelled'>; readonly notBeforeInMs: number | null };

/** A venue's word with few tries of its own is waited out this often in one run, when the wait may be slept. */
const VENUE_TRIES_MIN = 2;

/**
 * Decides what follows a failed attempt. The wait is the larger of our own backoff and what the venue
 * asked for; nothing shortens it: a wait too long to be slept parks the page instead.
 *
 * A code whose consequence is `parked` is the venue's word to stay away. Such a wait of at most a
 * minute is slept and the page asked once more in the same run even where the table grants one try: a
 * ban of 20 seconds costs 20 seconds, not a run.
 */
export function decide(fault: ExchangeAPIError, history: PageHistory, chance: number): RetryDecision {
  const rule = ruleOf(fault.code);
  const tries = history.triesByCode[fault.code] ?? 1;
  const isVenueWord = rule.consequence === 'parked';
  const triesMax = isVenueWord ? Math.max(rule.triesMax, VENUE_TRIES_MIN) : rule.triesMax;
  const waitMs = backoffMs(rule.backoff, tries, { chance, hintMs: fault.facts.retryAfterMs });
  if (rule.kind === 'permanent') return { do: 'stop', why: 'permanent', notBeforeInMs: null };
  if (waitMs > SLEEP_MS_MAX) return { do: 'stop', why: 'parked', notBeforeInMs: waitMs };
  if (tries >= triesMax || history.requests >= Math.min(history.requestsMax, REQUESTS_PER_PAGE_MAX)) {
    return isVenueWord
      ? { do: 'stop', why: 'parked', notBeforeInMs: Math.max(waitMs, SLEEP_MS_MAX) }
      : { do: 'stop', why: 'tries', notBeforeInMs: null };
  }
  if (history.elapsedMs + waitMs > history.deadlineMs) return { do: 'stop', why: 'deadline', notBeforeInMs: waitMs };
  return { do: 'retry', waitMs, tries, triesMax };
}
