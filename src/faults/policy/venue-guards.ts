import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { Store } from '../../kernel/store.ts';
import { concurrencyLimit } from './concurrency-limit.ts';
import type { Guards, StopOrder } from './guards.ts';
import type { RateLimit } from './rate-limit.ts';
import { rateLimiter } from './rate-limiter.ts';
import { retryBudget } from './retry-budget.ts';
import type { VenueKey } from './schema.ts';
import { venueBreaker } from './venue-breaker.ts';
import { venueGate } from './venue-gate.ts';

export interface VenueGuardsOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** limits.db: what processes share. */
  readonly store: Store;
  readonly venue: VenueKey;
  readonly stopOrder: StopOrder;
  readonly prior: readonly RateLimit[];
  readonly share: number;
  readonly attemptTimeoutMs: number;
  readonly deadlineMs: number;
}

/** Requests of one process under way at one venue: enough for its whole limit at answers that take a third of a second. */
const REQUESTS_AT_ONCE_MAX = 32;

/** Everything between a page and the wire of one venue. */
export function venueGuards(options: VenueGuardsOptions): Guards {
  const { attemptTimeoutMs, deadlineMs, stopOrder } = options;
  return {
    stopOrder,
    breaker: venueBreaker({ ...options, probeMsMax: deadlineMs + attemptTimeoutMs }),
    gate: venueGate(options),
    slots: concurrencyLimit(REQUESTS_AT_ONCE_MAX),
    limiter: rateLimiter({ ...options, probeMsMax: 2 * attemptTimeoutMs }),
    budget: retryBudget(options),
  };
}
