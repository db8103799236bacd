import { expect, test } from 'vitest';
import { forEachConcurrent } from './concurrency.ts';
import { seededRandom } from './seeded-random.ts';
import { VirtualClock } from '../../tests/support/virtual/virtual-clock.ts';

const clockOf = () => new VirtualClock({ random: seededRandom('at once'), startMs: 0 });

test('every item is processed once, started in order, never more than the limit concurrently', async () => {
  const clock = clockOf();
  const begun: number[] = [];
  let [now, most] = [0, 0];
  await clock.runUntil(
    forEachConcurrent([30, 10, 20, 10, 10], 2, async (waitMs) => {
      begun.push(waitMs);
      most = Math.max(most, ++now);
      await clock.sleep(waitMs);
      now -= 1;
    }),
  );
  expect(begun).toEqual([30, 10, 20, 10, 10]);
  expect(most).toBe(2);
  expect(clock.nowMs()).toBe(40);
});

test('after an error no further work starts, and it is thrown once the running work has ended', async () => {
  const clock = clockOf();
  const ended: number[] = [];
  const work = forEachConcurrent([1, 2, 3, 4], 2, async (item) => {
    await clock.sleep(item * 10);
    ended.push(item);
    if (item === 1) throw new RangeError('one');
  });
  await expect(clock.runUntil(work)).rejects.toThrow('one');
  expect(ended).toEqual([1, 2]);
});
