import type { Clock } from '../../kernel/clock.ts';
import type { Limiter } from './guards.ts';
import { slidingLimiter } from './sliding-limiter.ts';
import { windowLimiter } from './window-limiter.ts';

/** A limit as a venue states it. */
export interface RateLimit {
  readonly name: string;
  /** Units granted in each window; all of it, before our share. */
  readonly limit: number;
  readonly windowMs: number;
  /** `aligned`: afresh at every multiple of `windowMs` of wall-clock time. `sliding`: in any stretch of `windowMs`. */
  readonly shape: 'aligned' | 'sliding';
  /** What one request costs: its weight, or one for limits that count requests. */
  readonly counts: 'weight' | 'requests';
}

export const costOf = (limit: RateLimit, weight: number): number => (limit.counts === 'weight' ? weight : 1);

/** One limiter that keeps all of a venue's limits at `share` of each. */
export function rateLimiter(clock: Clock, { limits, share }: { readonly limits: readonly RateLimit[]; readonly share: number }): Limiter {
  const aligned = windowLimiter(clock, { limits: limits.filter((limit) => limit.shape === 'aligned'), share });
  const sliding = slidingLimiter(clock, { limits: limits.filter((limit) => limit.shape === 'sliding'), share });
  return {
    take: async (weight, signal) => {
      await sliding.take(weight, signal);
      await aligned.take(weight, signal);
    },
    observe: (usedByName, sentAtMs) => aligned.observe(usedByName, sentAtMs),
  };
}
