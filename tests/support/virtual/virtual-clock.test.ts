import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { getEventListeners } from 'node:events';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/platform/seeded-random.ts';
import { DeadlockError, EventsExhaustedError, VirtualClock } from './virtual-clock.ts';

const START_MS = Date.UTC(2024, 6, 1);
const clockOf = (seed = 'seed'): VirtualClock => new VirtualClock({ random: seededRandom(seed) });

test('time starts in July 2024, or at the given time', () => {
  expect(new Date(clockOf().nowMs()).toISOString()).toBe('2024-07-01T00:00:00.000Z');
  expect(new VirtualClock({ random: seededRandom('x'), startMs: 5 }).nowMs()).toBe(5);
});

test('a year of sleep passes immediately on both clocks', async () => {
  const clock = clockOf();
  await clock.runUntil(clock.sleep(365 * 86_400_000));
  expect(clock.monotonicMs()).toBe(365 * 86_400_000);
  expect(clock.nowMs()).toBe(START_MS + 365 * 86_400_000);
});

test('all effects of an event happen at its time, through any number of awaits', async () => {
  const clock = clockOf();
  const seen: number[] = [];
  const work = async (): Promise<void> => {
    await clock.sleep(10);
    for (let n = 0; n < 500; n++) await Promise.resolve();
    await new Promise<void>((resolve) => process.nextTick(resolve));
    seen.push(clock.monotonicMs());
  };
  await clock.runUntil(Promise.all([work(), clock.sleep(11)]));
  expect(seen).toEqual([10]);
});

/**
 * What happens when `waits[i]` is slept several times over by sleeper i; sleepers with an odd index are stopped by the
 * one before.
 */
async function traceOf(seed: string, waits: readonly number[]): Promise<string[]> {
  const clock = clockOf(seed);
  const trace: string[] = [];
  const stops = waits.map(() => new AbortController());
  const sleeper = async (waitMs: number, at: number): Promise<void> => {
    for (let round = 0; round < 3; round++) {
      try {
        await clock.sleep(waitMs, stops[at]?.signal);
        trace.push(`${clock.monotonicMs()} ${at} woke`);
      } catch (error) {
        trace.push(`${clock.monotonicMs()} ${at} ${(error as Error).name}`);
        return;
      }
    }
    if (at % 2 === 0) stops[at + 1]?.abort();
  };
  await clock.runUntil(Promise.all(waits.map(sleeper)));
  return trace;
}

const WAITS = fc.array(fc.oneof(fc.constant(5), fc.integer({ min: 0, max: 20 })), { minLength: 1, maxLength: 20 });

test('the same seed gives the same order of events, and time never runs backwards', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), WAITS, async (seed, waits) => {
      const trace = await traceOf(seed, waits);
      expect(await traceOf(seed, waits)).toEqual(trace);
      const times = trace.map((line) => Number.parseInt(line, 10));
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }),
    { numRuns: 60 },
  );
});

test('the seed decides the order of events at the same time', async () => {
  const orders = await Promise.all(Array.from({ length: 12 }, (_, n) => traceOf(`seed ${n}`, [5, 5, 5, 5])));
  expect(new Set(orders.map(String)).size).toBeGreaterThan(3);
});

test('every sleep ends exactly at its time, while others are added and cancelled', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ waitMs: fc.nat(1_000), cancelAtMs: fc.option(fc.nat(1_000), { nil: null }) }), {
        maxLength: 40,
      }),
      async (sleeps) => {
        const clock = clockOf();
        const ends = sleeps.map(async ({ waitMs, cancelAtMs }) => {
          const stop = new AbortController();
          if (cancelAtMs !== null) void clock.sleep(cancelAtMs).then(() => stop.abort());
          await clock.sleep(waitMs, stop.signal).catch(() => undefined);
          return clock.monotonicMs();
        });
        await clock.run();
        const endedAtMs = await Promise.all(ends);
        expect(endedAtMs).toEqual(sleeps.map(({ waitMs, cancelAtMs }) => Math.min(waitMs, cancelAtMs ?? Infinity)));
        expect(clock.pending()).toEqual({ sleeps: 0, nextAtMs: null, tracked: 0 });
      },
    ),
    { numRuns: 60 },
  );
});

test('an aborted sleep rejects with the reason immediately and takes no time', async () => {
  const clock = clockOf();
  const stop = new AbortController();
  const reason = new Error('stop');
  const sleeping = clock.sleep(1_000, stop.signal);
  stop.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
  await expect(clock.sleep(1_000, stop.signal)).rejects.toBe(reason);
  await clock.run();
  expect(clock.monotonicMs()).toBe(0);
});

test('a sleep that ended leaves no listener on its signal', async () => {
  const clock = clockOf();
  const { signal } = new AbortController();
  await clock.runUntil(clock.sleep(5, signal));
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('run up to a time fires all events due by then and shows that time, even without events', async () => {
  const clock = clockOf();
  const fired: number[] = [];
  for (const waitMs of [10, 20, 21]) void clock.sleep(waitMs).then(() => fired.push(waitMs));
  await clock.run({ untilMs: START_MS + 20 });
  expect(fired).toEqual([10, 20]);
  expect(clock.pending()).toEqual({ sleeps: 1, nextAtMs: START_MS + 21, tracked: 0 });
  await clock.run({ untilMs: START_MS + 500 });
  expect(fired).toEqual([10, 20, 21]);
  expect(clock.nowMs()).toBe(START_MS + 500);
  await clock.run({ untilMs: START_MS });
  expect(clock.nowMs()).toBe(START_MS + 500);
});

test('a jump of the wall clock changes neither sleeps nor monotonic time', async () => {
  const clock = clockOf();
  const sleeping = clock.sleep(1_000).then(() => clock.monotonicMs());
  clock.jump(-3_600_000);
  expect(clock.nowMs()).toBe(START_MS - 3_600_000);
  expect(clock.monotonicMs()).toBe(0);
  expect(await clock.runUntil(sleeping)).toBe(1_000);
  expect(clock.nowMs()).toBe(START_MS - 3_600_000 + 1_000);
  clock.jump(7_200_000);
  expect(clock.nowMs()).toBe(START_MS + 3_600_000 + 1_000);
});

test('tracked work on the thread pool takes no virtual time, in every run', async () => {
  for (let n = 0; n < 5; n++) {
    const clock = clockOf();
    const bytes = Buffer.alloc(300_000, 'candle');
    const work = async (): Promise<number> => {
      for (let round = 0; round < 5; round++) {
        await clock.sleep(10);
        await clock.track(promisify(gzip)(bytes));
        await clock.track(Promise.reject(new Error('fails'))).catch(() => undefined);
      }
      return clock.monotonicMs();
    };
    void clock.sleep(1_000_000);
    expect(await clock.runUntil(work())).toBe(50);
  }
});

test('a promise that nothing can settle is a deadlock', async () => {
  const clock = clockOf();
  void clock.sleep(5);
  void clock.sleep(Infinity);
  await expect(clock.runUntil(new Promise(() => undefined))).rejects.toBeInstanceOf(DeadlockError);
  expect(clock.monotonicMs()).toBe(5);
});

test('a rejection is passed on', async () => {
  const clock = clockOf();
  const failing = async (): Promise<never> => {
    await clock.sleep(5);
    throw new RangeError('after the wait');
  };
  await expect(clock.runUntil(failing())).rejects.toThrow(RangeError);
});

test('an endless poll is reported instead of running for ever', async () => {
  const clock = new VirtualClock({ random: seededRandom('x'), eventsMax: 1_000 });
  const poll = async (): Promise<void> => {
    for (;;) await clock.sleep(0);
  };
  void poll();
  await expect(clock.run()).rejects.toBeInstanceOf(EventsExhaustedError);
});

test('the clock cannot be run from two places concurrently', async () => {
  const clock = clockOf();
  const first = clock.runUntil(clock.sleep(5));
  await expect(clock.run()).rejects.toThrow('running already');
  await first;
});

test('a sleep of NaN is an error', async () => {
  await expect(clockOf().sleep(Number.NaN)).rejects.toThrow(RangeError);
});
