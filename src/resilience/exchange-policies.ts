import type { Clock } from '../platform/ports/clock.ts';
import type { Log } from '../platform/ports/log.ts';
import type { Store } from '../platform/ports/store.ts';
import { concurrencyLimit } from './rate-limit/concurrency-limit.ts';
import type { ResiliencePolicies, HaltSwitch } from './policies.ts';
import type { RateLimit } from './rate-limit/rate-limit.ts';
import { rateLimiter } from './rate-limit/rate-limiter.ts';
import { retryBudget } from './retry/retry-budget.ts';
import type { VenueKey } from './schema.ts';
import { venueBreaker } from './breaker/shared-breaker.ts';
import { venueGate } from './gate/exchange-gate.ts';

export interface ExchangePoliciesOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** limits.db: what processes share. */
  readonly store: Store;
  readonly venue: VenueKey;
  readonly halts: HaltSwitch;
  readonly prior: readonly RateLimit[];
  readonly share: number;
  readonly attemptTimeoutMs: number;
  readonly deadlineMs: number;
}

/**
 * Requests of one process in flight at one exchange: enough for its whole limit at responses of a third of a second.
 */
const CONCURRENT_REQUESTS_MAX = 32;

/** Everything between a page and the wire of one venue. */
export function exchangePolicies(options: ExchangePoliciesOptions): ResiliencePolicies {
  const { attemptTimeoutMs, deadlineMs, halts } = options;
  return {
    halts,
    breaker: venueBreaker({ ...options, probeMsMax: deadlineMs + attemptTimeoutMs }),
    gate: venueGate(options),
    slots: concurrencyLimit(CONCURRENT_REQUESTS_MAX),
    limiter: rateLimiter({ ...options, probeMsMax: 2 * attemptTimeoutMs }),
    budget: retryBudget(options),
  };
}
