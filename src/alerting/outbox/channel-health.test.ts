import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { AlertChannelError, type ChannelFailure } from '../../errors/errors.ts';
import { afterFailure, afterSuccess, isUsable, UNTRIED, type ChannelHealth } from './channel-health.ts';

const errorOf = (failure: ChannelFailure, retryAfterMs: number | null = null): AlertChannelError =>
  new AlertChannelError('x', { channel: 'slack', failure, status: null, retryAfterMs });
const fail = (health: ChannelHealth, nowMs: number, error = errorOf('transient')): ChannelHealth =>
  afterFailure(health, error, { nowMs, chance: 0.5 });

test('three failed sends in a row put a channel down, a successful one brings it back', () => {
  const [first, second] = [fail(UNTRIED, 0), fail(fail(UNTRIED, 0), 1_000)];
  expect([first.downSinceMs, second.downSinceMs]).toEqual([null, null]);
  const third = fail(second, 2_000);
  expect(third).toMatchObject({ downSinceMs: 2_000, failures: 3, failingSinceMs: 0, lastError: 'x' });
  expect(afterSuccess({ nowMs: 3_000, paceMs: 1_000 })).toEqual({
    ...UNTRIED,
    notBeforeMs: 4_000,
    lastSentAtMs: 3_000,
  });
});

test('thirty seconds without a successful send put a channel down', () => {
  expect(fail(fail(UNTRIED, 0), 31_000).downSinceMs).toBe(31_000);
});

test('a permanent refusal puts a channel down immediately', () => {
  expect(fail(UNTRIED, 5, errorOf('permanent')).downSinceMs).toBe(5);
});

test('a short Retry-After does not put a channel down, even repeated within half a minute', () => {
  let health = UNTRIED;
  for (let nowMs = 0; nowMs < 20_000; nowMs += 2_000) health = fail(health, nowMs, errorOf('limited', 2_000));
  expect(health).toMatchObject({ failures: 0, downSinceMs: null, notBeforeMs: 20_000 });
  expect(fail(health, 29_000, errorOf('limited', 2_000)).downSinceMs).toBe(29_000);
  expect(fail(UNTRIED, 0, errorOf('limited')).notBeforeMs).toBe(1_000);
});

test('a Retry-After that is too long for an alert puts the channel down immediately, and is honoured', () => {
  const health = fail(UNTRIED, 0, errorOf('limited', 600_000));
  expect(health).toMatchObject({ downSinceMs: 0, notBeforeMs: 600_000 });
  expect(isUsable(health, 599_999)).toBe(false);
  expect(isUsable(health, 600_000)).toBe(true);
});

test('a channel that is down is tried again after 30 s to 5 min and stays down until a send succeeds', () => {
  const failures = fc.array(
    fc.tuple(
      fc.constantFrom<ChannelFailure>('transient', 'limited', 'permanent'),
      fc.nat(60_000),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
    ),
    { minLength: 1, maxLength: 30 },
  );
  fc.assert(
    fc.property(failures, (steps) => {
      let health: ChannelHealth = fail(UNTRIED, 1, errorOf('permanent'));
      let nowMs = 1;
      for (const [failure, laterMs, chance] of steps) {
        nowMs += laterMs;
        health = afterFailure(health, errorOf(failure), { nowMs, chance });
        expect(health.downSinceMs).toBe(1);
        expect(health.notBeforeMs - nowMs).toBeGreaterThanOrEqual(30_000);
        expect(health.notBeforeMs - nowMs).toBeLessThanOrEqual(300_000);
      }
    }),
  );
});
