import type { Clock } from '../../platform/ports/clock.ts';
import type { Log } from '../../platform/ports/log.ts';
import type { Operation, Store } from '../../platform/ports/store.ts';
import { STATED_LIMITS_TTL_MS } from '../../errors/schedule.ts';
import type { Limiter } from '../policies.ts';
import { paceLimiter } from './pace-limiter.ts';
import type { RateLimit, UsedWeight } from './rate-limit.ts';
import type { VenueKey } from '../schema.ts';
import { drift, limitsInForce, recordStatedLimits, statedLimits, type StatedLimits } from './stated-limits.ts';
import { WindowLimiter } from './window-limiter.ts';
import { openWindows } from './window-store.ts';

export interface RateLimiterOptions {
  readonly clock: Clock;
  readonly store: Store;
  readonly log: Log;
  readonly venue: VenueKey;
  /** What is known of the limits before the venue has said a word. */
  readonly prior: readonly RateLimit[];
  /** Our share of each, 0 < share <= 1. */
  readonly share: number;
  /** Longer than any attempt takes. */
  readonly probeMsMax: number;
}

/** Keeps all of a venue's limits at our share of each, together with every other process on this address. */
export function rateLimiter(options: RateLimiterOptions): Limiter {
  const { clock, store, log, venue, prior } = options;
  const windows = new WindowLimiter(options);
  const paces = paceLimiter(options);
  let inForce = prior;
  let areStated = false;
  let asked = '';
  const warn = (message: string): void => log.warn(`${venue.exchange} ${message}`, { exchange: venue.exchange });

  /** A venue that counts in windows nobody told us of is believed to keep its rate in them, until it states its limits. */
  const noticeWindows = (used: readonly UsedWeight[]): void => {
    if (areStated) return;
    for (const { name, windowMs } of used) {
      const known = inForce.filter((limit) => limit.name === name && limit.shape === 'aligned');
      const [like] = known;
      if (like === undefined || known.some((limit) => limit.windowMs === windowMs)) continue;
      const noticed = { ...like, windowMs, limit: Math.floor(like.limit * (windowMs / like.windowMs)) };
      inForce = [...inForce, noticed];
      warn(`counts ${name} in windows of ${windowMs / 1_000} s, which is not known; kept at ${noticed.limit}`);
    }
  };

  const adopt = (stated: StatedLimits | null): boolean => {
    if (stated === null || stated.origin !== asked || stated.learnedAtMs + STATED_LIMITS_TTL_MS <= clock.nowMs())
      return false;
    areStated = stated.limits.length > 0;
    if (areStated) inForce = limitsInForce(prior, stated.limits);
    return true;
  };

  /** Until this process has learned the limits, what another has learned meanwhile holds at once. */
  function* windowsInForce(): Operation<readonly RateLimit[]> {
    if (!areStated) adopt(yield* statedLimits(venue));
    return inForce.filter(isAligned);
  }

  return {
    take: async (weight, signal) => {
      await paces.take(
        inForce.filter((limit) => !isAligned(limit)),
        weight,
        signal,
      );
      const grant = await windows.take(windowsInForce, weight, signal);
      return {
        ...grant,
        settle: (metadata) => {
          noticeWindows(metadata?.used ?? []);
          return grant.settle(metadata);
        },
      };
    },
    learn: async (limits, origin) => {
      const before = inForce;
      const drifted = drift(before, limits);
      inForce = limitsInForce(prior, limits);
      areStated = limits.length > 0;
      await store.transact(function* learnLimits() {
        yield* recordStatedLimits(venue, { origin, limits, learnedAtMs: clock.nowMs() });
        yield* openWindows(venue, {
          before: before.filter(isAligned),
          limits: inForce.filter(isAligned),
          nowMs: clock.nowMs(),
        });
      });
      if (drifted.length > 0) warn(`states other limits than are known; its own are kept: ${drifted.join('; ')}`);
    },
    knows: async (origin) => {
      if (!prior.some(isAligned)) return true; // no venue states its other limits
      asked = origin;
      return adopt(await store.read(statedLimits, venue));
    },
  };
}

const isAligned = ({ shape }: RateLimit): boolean => shape === 'aligned';
