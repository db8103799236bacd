/**
 * Time as a port. Nothing outside the platform room reads the machine's clock or starts a timer, so that a test can
 * control time completely.
 */
export interface Clock {
  /** Wall-clock time in epoch milliseconds. May jump; never subtract two of them to measure a wait. */
  nowMs(): number;
  /** Monotonic time for measuring durations. Unit: milliseconds. */
  monotonicMs(): number;
  /**
   * Resolves after `waitMs`. Rejects with the signal's reason as soon as it aborts, so that cancellation ends every
   * wait.
   */
  sleep(waitMs: number, signal?: AbortSignal): Promise<void>;
  /**
   * Lets the event loop handle pending responses, timers and signals. Long computations call it every few milliseconds,
   * so that a Retry-After or Ctrl-C takes effect immediately.
   */
  yieldToEventLoop(): Promise<void>;
  /**
   * Marks work that runs outside the event loop (thread pool: DuckDB, DNS, zlib). Virtual time stops until it is done;
   * the real clock returns the promise unchanged.
   */
  track<T>(work: Promise<T>): Promise<T>;
}
