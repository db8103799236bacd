/**
 * Time as a port. Nothing outside the kernel reads the machine's clock or starts a timer, so that
 * a test or the simulator can own time completely.
 */
export interface Clock {
  /** Wall-clock time in epoch milliseconds. May jump; never subtract two of them to measure a wait. */
  nowMs(): number;
  /** Milliseconds that only grow, for measuring how long something took. */
  monotonicMs(): number;
  /**
   * Resolves after `waitMs`. Rejects with the signal's reason as soon as it aborts: no wait of this
   * program survives a cancellation.
   */
  sleep(waitMs: number, signal?: AbortSignal): Promise<void>;
  /**
   * Lets answers, timers and signals that have come meanwhile be handled. Long computing does this every few
   * milliseconds: a venue's word to stay away is heard at once, and so is Ctrl-C.
   */
  breathe(): Promise<void>;
  /**
   * Marks work that runs outside the event loop (thread pool: DuckDB, DNS, zlib). Virtual time stands
   * still until it is done; on the real clock this passes the promise on.
   */
  track<T>(work: Promise<T>): Promise<T>;
}

/** Longest wait one timer can hold; Node turns a longer one into 1 ms. */
const TIMER_MS_MAX = 2_147_483_647;

export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (waitMs, signal) => {
    let leftMs = waitMs;
    for (; leftMs > TIMER_MS_MAX; leftMs -= TIMER_MS_MAX) await timer(TIMER_MS_MAX, signal);
    await timer(Math.ceil(leftMs), signal); // Node drops fractions, and a sleep is never shorter than asked
  },
  breathe: () => new Promise((resolve) => void setImmediate(resolve)),
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

/** So many turns of the event loop a limit waits for what has come already: headers, body, and what makes a value of them. */
const LAST_TURNS = 3;

/**
 * Runs `work` with a signal that aborts when `outer` does or after `limitMs` (then with `onTime()`). Timers come before
 * answers in the event loop: in a process that was held up, an answer that was in time is not taken for late.
 */
export async function withTimeLimit<T>(
  clock: Clock,
  limit: { readonly limitMs: number; readonly onTime: () => Error; readonly outer: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  limit.outer.throwIfAborted();
  const attempt = new AbortController();
  const done = new AbortController();
  const forward = (): void => attempt.abort(limit.outer.reason);
  limit.outer.addEventListener('abort', forward, { once: true });
  const alarm = clock.sleep(limit.limitMs, done.signal).then(
    async () => {
      for (let turn = 0; turn < LAST_TURNS; turn++) await clock.breathe();
      attempt.abort(limit.onTime());
    },
    () => undefined, // the work ended first
  );
  try {
    return await untilAborted(work(attempt.signal), attempt.signal);
  } finally {
    done.abort();
    limit.outer.removeEventListener('abort', forward);
    await alarm;
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
