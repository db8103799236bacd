/**
 * Every wait, limit and offset of retries and healing on one page. The number of attempts for a fault code is in its
 * row of `table.ts`; the code that applies a value is in the room named above it. Units: milliseconds.
 */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How the wait before another attempt is found; the server's own hint is always a floor. */
export interface Backoff {
  /**
   * `immediate`: the first retry does not wait, later ones as `exponential`. `fixed`: `baseMs` unless the server
   * gives a hint.
   */
  readonly shape: 'exponential' | 'immediate' | 'fixed';
  readonly baseMs: number;
  readonly capMs: number;
}

const exponential = (baseMs: number, capMs: number): Backoff => ({ shape: 'exponential', baseMs, capMs });
const fixed = (baseMs: number): Backoff => ({ shape: 'fixed', baseMs, capMs: baseMs });

/** Waits between attempts, with full jitter (`resilience/retry`). Each row of the fault table names one of them. */
export const BACKOFFS = {
  /** A server or connection that fails, and a response with the wrong shape. */
  failing: exponential(500, 30 * SECOND_MS),
  timeout: { shape: 'immediate', baseMs: 500, capMs: 30 * SECOND_MS },
  throttled: exponential(SECOND_MS, MINUTE_MS),
  banned: fixed(2 * MINUTE_MS),
  maintenance: fixed(5 * MINUTE_MS),
  hub: exponential(SECOND_MS, 2 * MINUTE_MS),
  alertChannel: exponential(500, 5 * MINUTE_MS),
} as const satisfies Readonly<Record<string, Backoff>>;

/** Requests for one page, whatever the mix of codes (`resilience/retry`). */
export const REQUESTS_PER_PAGE_MAX = 10;
/** Longest wait slept in process (`resilience`). A longer one is stored, so that a restart does not forget it. */
export const SLEEP_MS_MAX = MINUTE_MS;
/** Attempts for a code that pauses our requests, where its wait is short enough to sleep (`resilience/retry`). */
export const PARKED_TRIES_MIN = 2;
/** Pages that found the retry budget empty wait at least this long (`resilience/retry`). */
export const EMPTY_BUDGET_WAIT_MS = MINUTE_MS;

/** First opening of the breaker; each one without a response in between lasts twice as long (`resilience/breaker`). */
export const BREAKER_OPEN_MS = 10 * SECOND_MS;
/** How often waiting pages check what the probe found. */
export const BREAKER_PROBE_CHECK_MS = SECOND_MS;
/** How often waiting pages check whether a suspected exchange responded. */
export const SUSPICION_CHECK_MS = 250;

/** Limits that an exchange stated are requested again after this time (`resilience/rate-limit`). */
export const STATED_LIMITS_TTL_MS = DAY_MS;

/** When candles that a fault kept away are requested again, since they were first missed (`domain/cell.ts`). */
export const HEALING_OFFSETS_MS: readonly number[] = [5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS];
/** After the last healing offset, and after the recheck of a hole, once in this time. */
export const HEALING_EVERY_MS = DAY_MS;

/** Wait before a failed run is run again; a retry that fails is a failed run of its own (`engine/recovery`). */
export const RUN_RETRY_WAITS_MS: readonly number[] = [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS];
/** Age up to which failed runs are retried; older ones heal cell by cell (`engine/recovery`). */
export const RUN_RETRY_LOOKBACK_MS = DAY_MS;

/** When a symbol that its exchange did not list is requested again (`state/symbols.ts`). */
export const REMOVED_SYMBOL_RECHECK_MS = 7 * DAY_MS;

/** How long an alert channel rests that asks for fewer messages without saying how long (`alerting/outbox`). */
export const CHANNEL_LIMITED_WAIT_MS = SECOND_MS;
/** How long a broken alert channel rests at least before it is probed (`alerting/outbox`). */
export const CHANNEL_PROBE_WAIT_MS_MIN = 30 * SECOND_MS;
