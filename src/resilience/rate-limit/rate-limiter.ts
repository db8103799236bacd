import type { Clock } from '../../platform/ports/clock.ts';
import type { Log } from '../../platform/ports/log.ts';
import type { Operation, Store } from '../../platform/ports/store.ts';
import { STATED_LIMITS_TTL_MS } from '../../errors/schedule.ts';
import type { Limiter } from '../policies.ts';
import { paceLimiter } from './pace-limiter.ts';
import type { RateLimit, UsedWeight } from './rate-limit.ts';
import type { VenueKey } from '../schema.ts';
import { drift, limitsInForce, recordStatedLimits, statedLimits, type StatedLimits } from './stated-limits.ts';
import { AlignedLimiter } from './aligned-limiter.ts';
import { openWindows } from './window-store.ts';

export interface RateLimiterOptions {
  readonly clock: Clock;
  readonly store: Store;
  readonly log: Log;
  readonly venue: VenueKey;
  /** Limits assumed before the exchange has stated any. */
  readonly prior: readonly RateLimit[];
  /** Our share of each, 0 < share <= 1. */
  readonly share: number;
  /** Longer than any attempt takes. */
  readonly probeMsMax: number;
}

/** Keeps all limits of an exchange at our share of each, together with every other process on this address. */
export function rateLimiter(options: RateLimiterOptions): Limiter {
  const { clock, store, log, venue, prior } = options;
  const windows = new AlignedLimiter(options);
  const paces = paceLimiter(options);
  const warn = (message: string): void => log.warn(`${venue.exchange} ${message}`, { exchange: venue.exchange });
  const known = knownLimits(options, warn);

  /** Until this process has learned the limits, those that another process learned apply immediately. */
  function* windowsInForce(): Operation<readonly RateLimit[]> {
    if (!known.areStated()) known.adopt(yield* statedLimits(venue));
    return known.inForce().filter(isAligned);
  }

  return {
    take: async (weight, signal) => {
      const paced = known.inForce().filter((limit) => !isAligned(limit));
      await paces.take(paced, weight, signal);
      const grant = await windows.take(windowsInForce, weight, signal);
      return {
        ...grant,
        settle: (metadata) => {
          known.notice(metadata?.used ?? []);
          return grant.settle(metadata);
        },
      };
    },
    learn: async (limits, origin) => {
      const before = known.inForce();
      known.replace(limits);
      await store.transact(function* learnLimits() {
        yield* recordStatedLimits(venue, { origin, limits, learnedAtMs: clock.nowMs() });
        yield* openWindows(venue, {
          before: before.filter(isAligned),
          limits: known.inForce().filter(isAligned),
          nowMs: clock.nowMs(),
        });
      });
      const drifted = drift(before, limits);
      if (drifted.length > 0) warn(`states other limits than are known; its own apply: ${drifted.join('; ')}`);
    },
    knows: async (origin) => {
      if (!prior.some(isAligned)) return true; // no exchange states its other limits
      known.expect(origin);
      return known.adopt(await store.read(statedLimits, venue));
    },
  };
}

/** The limits in force: prior knowledge until the exchange states its own, and windows noticed in its responses. */
interface KnownLimits {
  inForce(): readonly RateLimit[];
  areStated(): boolean;
  replace(stated: readonly RateLimit[]): void;
  /** Only limits stated by `origin` are adopted from the store. */
  expect(origin: string): void;
  /** False for limits of another origin and for old ones: the exchange is to be queried for its limits. */
  adopt(stated: StatedLimits | null): boolean;
  /**
   * An exchange that reports its use in an unknown window keeps its rate in that window, until it states its limits.
   */
  notice(used: readonly UsedWeight[]): void;
}

function knownLimits(
  { prior, clock }: Pick<RateLimiterOptions, 'prior' | 'clock'>,
  warn: (message: string) => void,
): KnownLimits {
  let inForce = prior;
  let areStated = false;
  let expectedOrigin = '';
  return {
    inForce: () => inForce,
    areStated: () => areStated,
    replace: (stated) => {
      areStated = stated.length > 0;
      inForce = limitsInForce(prior, stated);
    },
    expect: (origin) => {
      expectedOrigin = origin;
    },
    adopt: (stated) => {
      if (stated === null || stated.origin !== expectedOrigin) return false;
      if (stated.learnedAtMs + STATED_LIMITS_TTL_MS <= clock.nowMs()) return false;
      areStated = stated.limits.length > 0;
      if (areStated) inForce = limitsInForce(prior, stated.limits);
      return true;
    },
    notice: (used) => {
      if (areStated) return;
      for (const { name, windowMs } of used) {
        const known = inForce.filter((limit) => limit.name === name && limit.shape === 'aligned');
        const [like] = known;
        if (like === undefined || known.some((limit) => limit.windowMs === windowMs)) continue;
        const noticed = { ...like, windowMs, limit: Math.floor(like.limit * (windowMs / like.windowMs)) };
        inForce = [...inForce, noticed];
        warn(`counts ${name} in windows of ${windowMs / 1_000} s, which is not known; kept at ${noticed.limit}`);
      }
    },
  };
}

const isAligned = ({ shape }: RateLimit): boolean => shape === 'aligned';
