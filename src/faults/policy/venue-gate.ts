import type { Clock } from '../../kernel/clock.ts';
import type { Gate } from './guards.ts';

/**
 * One venue's gate for everything this process asks of it. A 429, a ban or maintenance closes it;
 * whoever waits looks again after waking, because it may have been closed for longer meanwhile.
 */
export function venueGate(clock: Clock): Gate {
  let opensAtMs = -Infinity;
  return {
    pass: async (signal) => {
      while (clock.monotonicMs() < opensAtMs) await clock.sleep(opensAtMs - clock.monotonicMs(), signal);
      signal.throwIfAborted();
    },
    closeFor: (waitMs) => {
      opensAtMs = Math.max(opensAtMs, clock.monotonicMs() + waitMs);
    },
  };
}
