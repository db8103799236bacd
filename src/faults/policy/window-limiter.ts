import type { Clock } from '../../kernel/clock.ts';
import type { Limiter } from './guards.ts';

/** A weight limit that starts afresh at every multiple of `windowMs` of wall-clock time. */
export interface AlignedLimit {
  readonly name: string;
  /** Weight the venue grants per window; all of it, before our share. */
  readonly limit: number;
  readonly windowMs: number;
  /** What one request costs under this limit: its weight, or one for limits that count requests. */
  readonly counts: 'weight' | 'requests';
}

/** Our clock may be ahead of the venue's: a new window is used only this long after its border. Unit: milliseconds. */
const BORDER_GUARD_MS = 250;

/**
 * Aligned weighted windows of one process. What the venue says is used counts when it is more than
 * what we know of: others may share our address, and a restart forgets what it spent.
 */
export function windowLimiter(clock: Clock, options: { readonly limits: readonly AlignedLimit[]; readonly share: number }): Limiter {
  const windows = options.limits.map((limit) => ({ ...limit, startMs: -Infinity, used: 0 }));
  let turn: Promise<void> = Promise.resolve();

  const roll = (nowMs: number): void => {
    for (const window of windows) {
      const startMs = Math.floor((nowMs - BORDER_GUARD_MS) / window.windowMs) * window.windowMs;
      if (startMs <= window.startMs) continue;
      window.startMs = startMs;
      window.used = 0;
    }
  };
  const costOf = (window: { readonly counts: AlignedLimit['counts'] }, weight: number): number => (window.counts === 'weight' ? weight : 1);
  /** How long until `weight` fits everywhere; a request heavier than a whole window's share passes into an unused one. */
  const waitMs = (weight: number, nowMs: number): number =>
    Math.max(0, ...windows
      .filter((window) => window.used > 0 && window.used + costOf(window, weight) > window.limit * options.share)
      .map((window) => window.startMs + window.windowMs + BORDER_GUARD_MS - nowMs));

  const takeTurn = async (weight: number, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    for (;;) {
      roll(clock.nowMs());
      const leftMs = waitMs(weight, clock.nowMs());
      if (leftMs <= 0) break;
      await clock.sleep(leftMs, signal);
    }
    for (const window of windows) window.used += costOf(window, weight);
  };

  return {
    take: (weight, signal) => {
      const mine = turn.then(() => takeTurn(weight, signal));
      turn = mine.then(() => undefined, () => undefined); // a cancelled turn does not end the queue
      return mine;
    },
    observe: (usedByName) => {
      roll(clock.nowMs());
      for (const window of windows) window.used = Math.max(window.used, usedByName[window.name] ?? 0);
    },
  };
}
