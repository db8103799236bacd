import type { Clock } from '../../../src/platform/ports/clock.ts';
import type { Random } from '../../../src/platform/ports/random.ts';

export interface VirtualClockOptions {
  /** Decides which of several events at the same moment comes first. */
  readonly random: Random;
  /** Wall-clock time at the start, epoch milliseconds. */
  readonly startMs?: number;
  /** Events one `run` may fire before it is taken for an endless loop. */
  readonly eventsMax?: number;
}

/** Deadlock: no event is left that could settle the awaited promise. */
export class DeadlockError extends Error {
  override readonly name = 'DeadlockError';
}

/** Too many events: something polls without end. */
export class EventsExhaustedError extends Error {
  override readonly name = 'EventsExhaustedError';
}

const START_MS = Date.UTC(2024, 6, 1);
const EVENTS_MAX = 10_000_000;

interface Event {
  readonly atMs: number;
  readonly priority: number;
  readonly sequence: number;
  readonly fire: () => void;
}

/**
 * A clock whose time passes only when the program has nothing else to do. Events fire one by one in the order of (time,
 * seeded priority, sequence), and all effects of one settle before the next: the same seed gives the same run. Work on
 * the thread pool must go through `track`; the clock does not see real sockets and timers and would not wait for them.
 */
export class VirtualClock implements Clock {
  readonly #random: Random;
  readonly #eventsMax: number;
  /** Latest first, so that the next event is popped from the end. */
  readonly #events: Event[] = [];
  readonly #tracked = new Set<Promise<unknown>>();
  #monotonicMs = 0;
  /** Wall clock minus monotonic time. */
  #offsetMs: number;
  #sequence = 0;
  #running = false;

  constructor({ random, startMs = START_MS, eventsMax = EVENTS_MAX }: VirtualClockOptions) {
    this.#random = random.fork('virtual clock');
    this.#offsetMs = startMs;
    this.#eventsMax = eventsMax;
  }

  nowMs(): number {
    return Math.floor(this.#monotonicMs + this.#offsetMs);
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  yieldToEventLoop(): Promise<void> {
    return this.track(eventLoopTick());
  }

  sleep(waitMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const stop = (): void => {
        this.#cancel(event);
        reject(signal?.reason as Error);
      };
      const event = this.#schedule(waitMs, () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      });
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  track<T>(work: Promise<T>): Promise<T> {
    this.#tracked.add(work);
    const done = (): void => void this.#tracked.delete(work);
    work.then(done, done);
    return work;
  }

  /**
   * Sets the wall clock forward (or back, when negative), as an administrator or NTP does. Sleeps and `monotonicMs` do
   * not notice.
   */
  jump(byMs: number): void {
    this.#offsetMs += byMs;
  }

  /** Pending sleeps and tracked work. */
  pending(): { readonly sleeps: number; readonly nextAtMs: number | null; readonly tracked: number } {
    const next = this.#events.at(-1);
    return {
      sleeps: this.#events.length,
      nextAtMs: next ? next.atMs + this.#offsetMs : null,
      tracked: this.#tracked.size,
    };
  }

  /**
   * Lets time pass until no sleep is left, or until the wall clock shows `untilMs`: then every event up to and
   * including that moment has fired.
   */
  async run({ untilMs = Infinity }: { readonly untilMs?: number } = {}): Promise<void> {
    await this.#advance(() => false, untilMs);
    const leftMs = untilMs - this.#offsetMs - this.#monotonicMs;
    if (leftMs > 0 && leftMs < Infinity) this.#monotonicMs += leftMs;
  }

  /** Lets time pass until `promise` settles; settles with it. */
  async runUntil<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = (): void => void (settled = true);
    promise.then(settle, settle);
    await this.#advance(() => settled, Infinity);
    if (settled) return promise;
    throw new DeadlockError(
      `at ${new Date(this.nowMs()).toISOString()} no sleep or tracked work is left, but the promise is pending`,
    );
  }

  #schedule(waitMs: number, fire: () => void): Event {
    if (Number.isNaN(waitMs)) throw new RangeError('a sleep needs a number of milliseconds');
    const event = {
      atMs: this.#monotonicMs + Math.max(0, waitMs),
      priority: this.#random.next(),
      sequence: this.#sequence++,
      fire,
    };
    this.#events.splice(this.#placeOf(event), 0, event);
    return event;
  }

  #cancel(event: Event): void {
    const place = this.#placeOf(event);
    if (this.#events[place] === event) this.#events.splice(place, 1);
  }

  /** Index of the first event that does not come after `event`: its own, or where it belongs. */
  #placeOf(event: Event): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (comesAfter(this.#events[middle]!, event)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  async #advance(isDone: () => boolean, untilMs: number): Promise<void> {
    if (this.#running) throw new Error('this clock is running already');
    this.#running = true;
    try {
      for (let fired = 0; ; fired++) {
        await this.#settle();
        const next = this.#events.at(-1);
        if (isDone() || !next || next.atMs + this.#offsetMs > untilMs || next.atMs === Infinity) return;
        if (fired >= this.#eventsMax)
          throw new EventsExhaustedError(
            `${fired} events, ${this.#events.length} sleeps left, now ${new Date(this.nowMs()).toISOString()}`,
          );
        this.#events.pop();
        this.#monotonicMs = next.atMs;
        next.fire();
      }
    } finally {
      this.#running = false;
    }
  }

  /** Waits until every microtask has run and no tracked work is under way. */
  async #settle(): Promise<void> {
    await eventLoopTick();
    while (this.#tracked.size > 0) {
      await Promise.allSettled(this.#tracked);
      await eventLoopTick();
    }
  }
}

/** One event-loop tick: all microtasks and `nextTick` callbacks queued before it, and those they queue, have run. */
const eventLoopTick = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const comesAfter = (a: Event, b: Event): boolean =>
  a.atMs !== b.atMs ? a.atMs > b.atMs : a.priority !== b.priority ? a.priority > b.priority : a.sequence > b.sequence;
