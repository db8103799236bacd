import type { Clock } from '../../kernel/clock.ts';
import type { Limiter } from './guards.ts';
import { costOf, type RateLimit } from './rate-limit.ts';
import { inTurn } from './turns.ts';

/** Requests do not arrive as far apart as they were sent: every window is kept this much longer. Unit: milliseconds. */
const TRANSIT_MS = 100;

interface Window {
  readonly limit: RateLimit;
  readonly granted: number;
  /** Oldest first. */
  readonly spent: { readonly atMs: number; readonly cost: number }[];
}

/** Limits that look back over their last window. No answer tells how much is used: what we spent is what we know. */
export function slidingLimiter(clock: Clock, options: { readonly limits: readonly RateLimit[]; readonly share: number }): Limiter {
  const windows = options.limits.map((limit): Window => ({ limit, granted: limit.limit * options.share, spent: [] }));
  const queue = inTurn();

  /** How long until enough is forgotten for `weight` to fit; what is heavier than the whole window waits for an empty one. */
  const waitMs = ({ limit, granted, spent }: Window, weight: number): number => {
    const forgottenAfterMs = limit.windowMs + TRANSIT_MS;
    const nowMs = clock.monotonicMs();
    while (spent[0] !== undefined && spent[0].atMs + forgottenAfterMs <= nowMs) spent.shift();
    let excess = spent.reduce((sum, { cost }) => sum + cost, 0) + costOf(limit, weight) - granted;
    let leftMs = 0;
    for (const { atMs, cost } of spent) {
      if (excess <= 0) break;
      excess -= cost;
      leftMs = atMs + forgottenAfterMs - nowMs;
    }
    return leftMs;
  };

  return {
    take: (weight, signal) => queue(async () => {
      signal.throwIfAborted();
      for (const window of windows) {
        for (let leftMs = waitMs(window, weight); leftMs > 0; leftMs = waitMs(window, weight)) await clock.sleep(leftMs, signal);
      }
      for (const { limit, spent } of windows) spent.push({ atMs: clock.monotonicMs(), cost: costOf(limit, weight) });
    }),
    observe: () => undefined,
  };
}
