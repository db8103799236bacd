import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/platform/seeded-random.ts';
import { concurrencyLimit } from '../../../src/resilience/rate-limit/concurrency-limit.ts';
import type { Limiter } from '../../../src/resilience/policies.ts';
import { keyOf, windowsOf } from '../../../src/resilience/rate-limit/window-store.ts';
import { bucketMeter } from '../../../src/simulation/stand-ins/bucket-meter.ts';
import { slidingMeter } from '../../../src/simulation/stand-ins/sliding-meter.ts';
import {
  BINANCE,
  FLOOR_RATIO_MIN,
  floorMs,
  KLINES_WEIGHT,
  limiterOn,
  limitsStore,
  MINUTE_MS,
  never,
  START_MS,
  TEN_SECONDS,
  Venue,
  WEIGHT,
  WORKERS,
} from './rate-limited-venue.ts';

test.each([
  [2, 120, 0.9],
  [17, 1_020, 1],
  [100, 6_000, 1],
] as const)(
  'another client that spends %i every %i ms causes us no refusal at a share of %d and keeps its room',
  async (weight, everyMs, share) => {
    for (const seed of ['one', 'two', 'three']) {
      const venue = new Venue({ seed, startMs: START_MS + Math.floor(seededRandom(seed).next() * MINUTE_MS) });
      const others = venue.otherClient({ weight, everyMs, untilMs: START_MS + 5 * MINUTE_MS });
      await venue.clock.runUntil(venue.fetchAll(limiterOn(venue, limitsStore(), { share }), 8_000));
      expect({ seed, refused: venue.refused, responses: venue.responses }).toEqual({
        seed,
        refused: 0,
        responses: 8_000,
      });
      expect(venue.othersRefused).toBeLessThan(10); // ten refusals would ban the address we share
      expect(venue.clock.monotonicMs()).toBeLessThan(4 * MINUTE_MS); // at least 5,000 of each 6,000 is ours
      await venue.clock.runUntil(others);
    }
  },
);

test('eight processes on one address use the whole limit, are never refused, and none starves', async () => {
  const venue = new Venue({ seed: 'eight', limit: TEN_SECONDS, startMs: START_MS });
  const store = limitsStore();
  const done: number[] = [];
  await venue.clock.runUntil(
    Promise.all(
      Array.from({ length: 8 }, async () => {
        await venue.fetchAll(limiterOn(venue, store, { limit: TEN_SECONDS }), 657);
        done.push(venue.clock.monotonicMs());
      }),
    ),
  );
  expect(venue.refused).toBe(0);
  expect(floorMs(TEN_SECONDS, 8 * 657 * 2, 0) / venue.clock.monotonicMs()).toBeGreaterThanOrEqual(FLOOR_RATIO_MIN);
  expect(Math.min(...done) / Math.max(...done)).toBeGreaterThan(0.5);
});

test.each(['a', 'b', 'c'])(
  'requests in flight at a window boundary do not count as use of others, and none is refused (seed %s)',
  async (seed) => {
    const venue = new Venue({ seed: `slow ${seed}`, limit: TEN_SECONDS, slowMs: 4_000, startMs: START_MS });
    const store = limitsStore();
    const others: number[] = [];
    await venue.clock.runUntil(
      Promise.all(
        Array.from({ length: 8 }, async () => {
          const limiter = limiterOn(venue, store, { limit: TEN_SECONDS });
          for (let burst = 0; burst < 40; burst++) {
            await venue.fetchAll(limiter, WORKERS);
            others.push((await store.read(windowsOf, BINANCE)).get(keyOf(TEN_SECONDS))?.others ?? 0);
            await venue.clock.sleep(venue.random.next() * 2_000);
          }
        }),
      ),
    );
    expect(Math.max(...others)).toBe(0);
    expect(venue.refused).toBe(0);
  },
);

test.each([2, 8])(
  '%i data directories on one address leave each other room, because the headers state the use',
  async (directories) => {
    const venue = new Venue({ seed: 'apart', startMs: START_MS });
    await venue.clock.runUntil(
      Promise.all(
        Array.from({ length: directories }, () =>
          venue.fetchAll(limiterOn(venue, limitsStore(), { share: 0.9 }), 12_000 / directories),
        ),
      ),
    );
    expect(venue.refused).toBe(0);
    for (const used of [...venue.usedByWindow.values()].slice(1, 4))
      expect(used).toBeGreaterThanOrEqual(0.85 * WEIGHT.limit);
  },
);

test.each([
  [
    'a bucket of 10 that fills in 1 s',
    { name: 'public', limit: 10, windowMs: 1_000, shape: 'bucket', counts: 'requests' },
    () => bucketMeter({ requests: 10, windowMs: 1_000 }),
  ],
  [
    '20 in any 2 s',
    { name: 'public', limit: 40, windowMs: 2_000, shape: 'sliding', counts: 'weight' },
    () => slidingMeter({ requests: 20, windowMs: 2_000 }),
  ],
] as const)(
  'under %s three processes are never refused, lose little time and get equal shares',
  async (_name, limit, meterOf) => {
    const venue = new Venue({ seed: `paced ${limit.shape}`, startMs: START_MS });
    const [store, meter] = [limitsStore(), meterOf()];
    const order: number[] = [];
    let refused = 0;
    const send = async (limiter: Limiter, process: number): Promise<void> => {
      await limiter.take(KLINES_WEIGHT, never);
      order.push(process);
      await venue.clock.sleep(venue.random.next() * 90);
      if (!meter.admits(venue.clock.nowMs())) refused += 1;
    };
    await venue.clock.runUntil(
      Promise.all(
        [0, 1, 2].map(async (process) => {
          const limiter = limiterOn(venue, store, { limit });
          const slots = concurrencyLimit(WORKERS);
          await Promise.all(
            Array.from({ length: 100 }, async () => {
              const leave = await slots.take(never);
              await send(limiter, process);
              leave();
            }),
          );
        }),
      ),
    );
    expect(refused).toBe(0);
    expect(venue.clock.monotonicMs()).toBeLessThanOrEqual((300 / 10) * 1_000 * 1.1);
    for (const process of [0, 1, 2])
      expect(order.slice(0, 150).filter((one) => one === process).length).toBeGreaterThanOrEqual(45);
  },
);
