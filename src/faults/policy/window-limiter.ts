import type { Clock } from '../../kernel/clock.ts';
import type { Limiter } from './guards.ts';
import { costOf, type RateLimit } from './rate-limit.ts';
import { inTurn } from './turns.ts';

/** How far our clock may be off the venue's, either way. Unit: milliseconds. */
const CLOCK_ERROR_MS = 250;

/** One limit and what is spent under it. Near a border nobody knows which window the venue counts in: it is charged to both. */
interface Window extends RateLimit {
  /** Number of the oldest window the venue may be in. */
  index: number;
  used: number;
  usedOfNext: number;
}

/**
 * Aligned weighted windows of one process. What the venue says is used counts when it is more than
 * what we know of: others may share our address, and a restart forgets what it spent.
 */
export function windowLimiter(clock: Clock, options: { readonly limits: readonly RateLimit[]; readonly share: number }): Limiter {
  const windows = options.limits.map((limit): Window => ({ ...limit, index: -1, used: 0, usedOfNext: 0 }));
  const queue = inTurn();

  const roll = (nowMs: number): void => {
    for (const window of windows) {
      const index = Math.floor((nowMs - CLOCK_ERROR_MS) / window.windowMs);
      if (index <= window.index) continue;
      window.used = index === window.index + 1 ? window.usedOfNext : 0;
      window.usedOfNext = 0;
      window.index = index;
    }
  };
  const isNearBorder = (window: Window, nowMs: number): boolean => Math.floor((nowMs + CLOCK_ERROR_MS) / window.windowMs) > window.index;
  /** A request heavier than a whole window's share passes into an unused one. */
  const fits = (window: Window, used: number, weight: number): boolean => used === 0 || used + costOf(window, weight) <= window.limit * options.share;
  /** How long until `weight` may fit everywhere. */
  const waitMs = (weight: number, nowMs: number): number =>
    Math.max(0, ...windows
      .filter((window) => !fits(window, window.used, weight) || (isNearBorder(window, nowMs) && !fits(window, window.usedOfNext, weight)))
      .map((window) => (window.index + 1) * window.windowMs + CLOCK_ERROR_MS - nowMs));

  const takeTurn = async (weight: number, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    for (;;) {
      roll(clock.nowMs());
      const leftMs = waitMs(weight, clock.nowMs());
      if (leftMs <= 0) break;
      await clock.sleep(leftMs, signal);
    }
    for (const window of windows) {
      window.used += costOf(window, weight);
      if (isNearBorder(window, clock.nowMs())) window.usedOfNext += costOf(window, weight);
    }
  };

  return {
    take: (weight, signal) => queue(() => takeTurn(weight, signal)),
    observe: (usedByName, sentAtMs) => {
      roll(clock.nowMs());
      for (const window of windows) {
        const wasInside = Math.floor((sentAtMs - CLOCK_ERROR_MS) / window.windowMs) === window.index && !isNearBorder(window, clock.nowMs());
        if (wasInside) window.used = Math.max(window.used, usedByName[window.name] ?? 0);
      }
    },
  };
}
