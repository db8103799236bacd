import { expect, test } from 'vitest';
import { seededRandom } from '../../platform/seeded-random.ts';
import { VirtualClock } from '../../../tests/support/virtual/virtual-clock.ts';
import { CancelledError } from '../../errors/classify.ts';
import { concurrencyLimit } from './concurrency-limit.ts';

const never = new AbortController().signal;

test('never more than the limit are inside, and they enter in the order of their calls', async () => {
  const clock = new VirtualClock({ random: seededRandom('slots') });
  const slots = concurrencyLimit(3);
  const entered: number[] = [];
  let [inside, mostInside] = [0, 0];
  await clock.runUntil(
    Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        const leave = await slots.take(never);
        entered.push(at);
        mostInside = Math.max(mostInside, ++inside);
        await clock.sleep(10 + (at % 4));
        inside -= 1;
        leave();
        leave(); // a second call frees no second slot
      }),
    ),
  );
  expect(mostInside).toBe(3);
  expect(entered).toEqual(Array.from({ length: 20 }, (_, at) => at));
});

test('a cancelled wait leaves the queue at once and takes no slot', async () => {
  const slots = concurrencyLimit(1);
  const leave = await slots.take(never);
  const stop = new AbortController();
  const cancelled = slots.take(stop.signal).catch((error: unknown) => error);
  const next = slots.take(never);
  stop.abort(new CancelledError('SIGINT'));
  expect(await cancelled).toBeInstanceOf(CancelledError);
  leave();
  (await next)();
  await expect(slots.take(stop.signal)).rejects.toBeInstanceOf(CancelledError);
  expect(await slots.take(never)).toBeTypeOf('function');
});
