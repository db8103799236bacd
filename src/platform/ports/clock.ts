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
  yieldToEventLoop(): Promise<void>;
  /**
   * Marks work that runs outside the event loop (thread pool: DuckDB, DNS, zlib). Virtual time stands
   * still until it is done; on the real clock this passes the promise on.
   */
  track<T>(work: Promise<T>): Promise<T>;
}
