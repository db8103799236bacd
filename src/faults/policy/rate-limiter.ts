import type { Clock } from '../../kernel/clock.ts';
import type { Limiter } from './guards.ts';
import type { RateLimit } from './rate-limit.ts';
import { slidingLimiter } from './sliding-limiter.ts';
import { windowLimiter } from './window-limiter.ts';

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
