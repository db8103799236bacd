import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { AlertChannelError, type ChannelFailure } from '../../errors/errors.ts';
import { afterFailure, afterSuccess, isUsable, UNTRIED, type ChannelHealth } from './channel-health.ts';

const errorOf = (failure: ChannelFailure, retryAfterMs: number | null = null): AlertChannelError =>
  new AlertChannelError('x', { channel: 'slack', failure, status: null, retryAfterMs });
const fail = (health: ChannelHealth, nowMs: number, error = errorOf('transient')): ChannelHealth =>
  afterFailure(health, error, { nowMs, chance: 0.5 });

test('the third failed send in a row puts a channel down, a send that arrives brings it back', () => {
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

test('thirty seconds without a send that arrives are enough', () => {
  expect(fail(fail(UNTRIED, 0), 31_000).downSinceMs).toBe(31_000);
});

test('a channel that takes nothing from us any more is down at once', () => {
  expect(fail(UNTRIED, 5, errorOf('permanent')).downSinceMs).toBe(5);
});

test('a channel that asks for a few seconds is not broken, however often it asks within half a minute', () => {
  let health = UNTRIED;
  for (let nowMs = 0; nowMs < 20_000; nowMs += 2_000) health = fail(health, nowMs, errorOf('limited', 2_000));
  expect(health).toMatchObject({ failures: 0, downSinceMs: null, notBeforeMs: 20_000 });
  expect(fail(health, 29_000, errorOf('limited', 2_000)).downSinceMs).toBe(29_000);
  expect(fail(UNTRIED, 0, errorOf('limited')).notBeforeMs).toBe(1_000);
});

test('a wait longer than somebody should wait for an alert sends others there at once, and is honoured all the same', () => {
  const health = fail(UNTRIED, 0, errorOf('limited', 600_000));
  expect(health).toMatchObject({ downSinceMs: 0, notBeforeMs: 600_000 });
  expect(isUsable(health, 599_999)).toBe(false);
  expect(isUsable(health, 600_000)).toBe(true);
});

test('it stays down, since the same moment, until something arrives; tried again after 30 s at the earliest and 5 min at the latest', () => {
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
