import { expect, test } from 'vitest';
import { seededRandom } from '../../platform/seeded-random.ts';
import { VirtualClock } from '../../../tests/support/virtual-clock.ts';
import { CancelledError } from '../../errors/classify.ts';
import { concurrencyLimit } from './concurrency-limit.ts';

const never = new AbortController().signal;

test('no more than the limit at once, first come first served', async () => {
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
        leave(); // giving back twice gives one slot
      }),
    ),
  );
  expect(mostInside).toBe(3);
  expect(entered).toEqual(Array.from({ length: 20 }, (_, at) => at));
});

test('who is cancelled leaves the queue at once and takes no slot', async () => {
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
