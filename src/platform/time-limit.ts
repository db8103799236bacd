import type { Clock } from './ports/clock.ts';

/** So many turns of the event loop a limit waits for what has come already: headers, body, and what makes a value of them. */
const GRACE_TICKS = 3;

/**
 * Runs `work` with a signal that aborts when `outer` does or after `limitMs` (then with `onTime()`). Timers come before
 * answers in the event loop: in a process that was held up, an answer that was in time is not taken for late.
 */
export async function withTimeLimit<T>(
  clock: Clock,
  limit: { readonly limitMs: number; readonly timeoutError: () => Error; readonly outer: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  limit.outer.throwIfAborted();
  const attempt = new AbortController();
  const done = new AbortController();
  const forward = (): void => attempt.abort(limit.outer.reason);
  limit.outer.addEventListener('abort', forward, { once: true });
  const timer = clock.sleep(limit.limitMs, done.signal).then(
    async () => {
      for (let tick = 0; tick < GRACE_TICKS; tick++) await clock.yieldToEventLoop();
      attempt.abort(limit.timeoutError());
    },
    () => undefined, // the work ended first
  );
  try {
    return await untilAborted(work(attempt.signal), attempt.signal);
  } finally {
    done.abort();
    limit.outer.removeEventListener('abort', forward);
    await timer;
  }
}

/** Settles with `work`, or rejects with the signal's reason at once, whatever `work` still does. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
