import type { Clock } from './ports/clock.ts';

/** Event-loop ticks granted after the timer fires, so that a response already buffered does not count as late. */
const GRACE_TICKS = 3;

/**
 * Runs `work` with a signal that aborts when `outer` does, or after `limitMs` with `timeoutError()`. The event loop
 * runs timers before I/O: without the granted ticks, a blocked process would reject a response that arrived in time.
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

/** Settles with `work`, or rejects with the signal's reason as soon as it aborts, even if `work` goes on. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
