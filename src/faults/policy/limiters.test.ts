import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../kernel/random.ts';
import { VirtualClock } from '../../kernel/virtual-clock.ts';
import { CancelledError } from '../taxonomy/judge.ts';
import { slidingLimiter } from './sliding-limiter.ts';
import { windowLimiter } from './window-limiter.ts';

const MINUTE_MS = 60_000;
const never = new AbortController().signal;
const clockAt = (startMs: number) => new VirtualClock({ random: seededRandom('limiter'), startMs });
const WEIGHT = { name: 'REQUEST_WEIGHT', limit: 600, windowMs: MINUTE_MS, shape: 'aligned', counts: 'weight' } as const;

test('in no window of the venue is more spent than our share, wherever in a minute we begin', async () => {
  await fc.assert(fc.asyncProperty(fc.nat(MINUTE_MS - 1), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 60, maxLength: 120 }), fc.integer({ min: 2, max: 10 }), async (offsetMs, weights, tenths) => {
    const clock = clockAt(Date.UTC(2024, 0, 1) + offsetMs);
    const share = tenths / 10;
    const limiter = windowLimiter(clock, { limits: [WEIGHT], share });
    const spent = new Map<number, number>();
    await clock.runUntil(Promise.all(weights.map(async (weight) => {
      await limiter.take(weight, never);
      const window = Math.floor(clock.nowMs() / MINUTE_MS);
      spent.set(window, (spent.get(window) ?? 0) + weight);
    })));
    for (const used of spent.values()) expect(used).toBeLessThanOrEqual(WEIGHT.limit * share);
    expect([...spent.values()].reduce((sum, used) => sum + used, 0)).toBe(weights.reduce((sum, weight) => sum + weight, 0));
  }), { numRuns: 50 });
});

test('what the venue says was used by others counts as used', async () => {
  const clock = clockAt(Date.UTC(2024, 0, 1) + 1_000);
  const limiter = windowLimiter(clock, { limits: [WEIGHT], share: 1 });
  await clock.runUntil(limiter.take(1, never));
  limiter.observe({ REQUEST_WEIGHT: 590 }, clock.nowMs());
  await clock.runUntil(limiter.take(10, never));
  expect(clock.monotonicMs()).toBeLessThan(1_000);
  await clock.runUntil(limiter.take(1, never));
  expect(clock.nowMs()).toBeGreaterThanOrEqual(Date.UTC(2024, 0, 1) + MINUTE_MS);
});

test('an answer from before the border says nothing about the new window', async () => {
  const clock = clockAt(Date.UTC(2024, 0, 1) + MINUTE_MS - 1_000);
  const limiter = windowLimiter(clock, { limits: [WEIGHT], share: 1 });
  const sentAtMs = clock.nowMs();
  await clock.runUntil(clock.sleep(2_000));
  limiter.observe({ REQUEST_WEIGHT: 600 }, sentAtMs);
  await clock.runUntil(limiter.take(600, never));
  expect(clock.monotonicMs()).toBe(2_000);
});

test('with a clock that is a quarter of a second off, either way, the venue still sees no window overspent', async () => {
  for (const errorMs of [-249, -100, 0, 100, 249]) {
    const clock = clockAt(Date.UTC(2024, 0, 1) + 59_000);
    const limiter = windowLimiter(clock, { limits: [WEIGHT], share: 1 });
    const spent = new Map<number, number>();
    await clock.runUntil(Promise.all(Array.from({ length: 900 }, async (_, at) => {
      await clock.sleep(at * 3);
      await limiter.take(2, never);
      const window = Math.floor((clock.nowMs() + errorMs) / MINUTE_MS);
      spent.set(window, (spent.get(window) ?? 0) + 2);
    })));
    for (const used of spent.values()) expect(used).toBeLessThanOrEqual(WEIGHT.limit);
  }
});

test('a limit on requests counts requests, whatever they weigh', async () => {
  const clock = clockAt(Date.UTC(2024, 0, 1) + 1_000);
  const limiter = windowLimiter(clock, { limits: [{ name: 'RAW_REQUESTS', limit: 3, windowMs: MINUTE_MS, shape: 'aligned', counts: 'requests' }], share: 1 });
  await clock.runUntil(Promise.all([50, 50, 50].map((weight) => limiter.take(weight, never))));
  expect(clock.monotonicMs()).toBeLessThan(1_000);
  await clock.runUntil(limiter.take(50, never));
  expect(clock.nowMs()).toBeGreaterThanOrEqual(Date.UTC(2024, 0, 1) + MINUTE_MS);
});

test('a request heavier than the whole share passes into an unused window instead of waiting for ever', async () => {
  const clock = clockAt(Date.UTC(2024, 0, 1));
  await clock.runUntil(windowLimiter(clock, { limits: [{ ...WEIGHT, limit: 10 }], share: 0.5 }).take(20, never));
  expect(clock.monotonicMs()).toBeLessThan(MINUTE_MS);
});

test('a cancelled wait neither spends nor holds up the ones behind it', async () => {
  const clock = clockAt(Date.UTC(2024, 0, 1) + 1_000);
  const limiter = windowLimiter(clock, { limits: [WEIGHT], share: 1 });
  await clock.runUntil(limiter.take(600, never));
  const stop = new AbortController();
  const cancelled = limiter.take(600, stop.signal).catch((error: unknown) => error);
  const behind = limiter.take(600, never).then(() => clock.nowMs());
  await clock.runUntil(clock.sleep(100));
  stop.abort(new CancelledError('SIGINT'));
  expect(await clock.runUntil(cancelled)).toBeInstanceOf(CancelledError);
  expect(await clock.runUntil(behind)).toBeLessThan(Date.UTC(2024, 0, 1) + 2 * MINUTE_MS);
});

const SLIDING = { name: 'public', limit: 20, windowMs: 2_000, shape: 'sliding', counts: 'weight' } as const;

test('under a sliding limit no stretch of its window holds more than our share, and no time is given away', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 30, maxLength: 80 }), fc.array(fc.nat(3_000), { minLength: 80, maxLength: 80 }), async (weights, delaysMs) => {
    const clock = clockAt(0);
    const limiter = slidingLimiter(clock, { limits: [SLIDING], share: 0.9 });
    const spent: { atMs: number; weight: number }[] = [];
    await clock.runUntil(Promise.all(weights.map(async (weight, at) => {
      await clock.sleep(delaysMs[at] ?? 0);
      await limiter.take(weight, never);
      spent.push({ atMs: clock.monotonicMs(), weight });
    })));
    for (const { atMs } of spent) {
      const used = spent.filter((one) => one.atMs > atMs - SLIDING.windowMs && one.atMs <= atMs).reduce((sum, one) => sum + one.weight, 0);
      expect(used).toBeLessThanOrEqual(18);
    }
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    expect(clock.monotonicMs()).toBeLessThanOrEqual(3_000 + Math.ceil(total / 14) * 2_100);
  }), { numRuns: 50 });
});
