import type { Clock } from '../ports/clock.ts';

/** Longest wait of one timer; Node turns a longer one into 1 ms. Unit: milliseconds. */
const TIMER_MS_MAX = 2_147_483_647;

export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (waitMs, signal) => {
    let leftMs = waitMs;
    for (; leftMs > TIMER_MS_MAX; leftMs -= TIMER_MS_MAX) await timer(TIMER_MS_MAX, signal);
    await timer(Math.ceil(leftMs), signal); // Node drops fractions; a sleep must not be too short
  },
  yieldToEventLoop: () => new Promise((resolve) => void setImmediate(resolve)),
  track: (work) => work,
};

const timer = (waitMs: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const stop = (): void => {
      clearTimeout(timeout);
      reject(signal?.reason as Error);
    };
    const timeout = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, waitMs);
    signal?.addEventListener('abort', stop, { once: true });
  });
