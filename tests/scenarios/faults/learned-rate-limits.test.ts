import { expect, test } from 'vitest';
import { memoryLog } from '../../support/virtual/memory-log.ts';
import type { Limiter } from '../../../src/resilience/policies.ts';
import { rateLimiter } from '../../../src/resilience/rate-limit/rate-limiter.ts';
import {
  BINANCE,
  EXCHANGE_INFO_WEIGHT,
  KLINES_WEIGHT,
  limiterOn,
  limitsStore,
  never,
  START_MS,
  TEN_SECONDS,
  Venue,
  WEIGHT,
} from './rate-limited-venue.ts';

test.each(['a', 'b', 'c'])(
  'eight processes that start together and each learn another limit are never refused (seed %s)',
  async (seed) => {
    const venue = new Venue({ seed: `beginning ${seed}`, limit: TEN_SECONDS, startMs: START_MS });
    const store = limitsStore();
    await venue.clock.runUntil(
      Promise.all(
        Array.from({ length: 8 }, async () => {
          const limiter = limiterOn(venue, store);
          await venue.clock.sleep(venue.random.next() * 300);
          if (!(await limiter.knows('https://venue'))) {
            await venue.send(limiter, EXCHANGE_INFO_WEIGHT);
            await limiter.learn([TEN_SECONDS], 'https://venue');
          }
          await venue.fetchAll(limiter, 200);
        }),
      ),
    );
    expect(venue.refused).toBe(0);
  },
);

test('stated limits replace the known ones in every process and after a restart, with one warning', async () => {
  const venue = new Venue({ seed: 'learned', startMs: START_MS });
  const [store, log] = [limitsStore(), memoryLog()];
  const limiter = (): Limiter =>
    rateLimiter({ clock: venue.clock, store, log, venue: BINANCE, prior: [WEIGHT], share: 1, probeMsMax: 20_000 });
  const learner = limiter();
  expect(await learner.knows('https://one')).toBe(false);
  for (let day = 0; day < 3; day++) await learner.learn([TEN_SECONDS], 'https://one');
  expect(log.lines.map(({ message }) => message)).toEqual([
    'binance states other limits than are known; its own apply: REQUEST_WEIGHT: 1000 in 10 s, known 6000 in 60 s',
  ]);
  const restarted = limiter();
  expect(await restarted.knows('https://stand-in')).toBe(false);
  expect(await restarted.knows('https://one')).toBe(true);
  await venue.clock.runUntil(restarted.take(1_000, never).then((grant) => grant.settle(null)));
  await venue.clock.runUntil(restarted.take(1_000, never));
  expect(venue.clock.monotonicMs()).toBeGreaterThanOrEqual(TEN_SECONDS.windowMs);
  await venue.clock.runUntil(venue.clock.sleep(86_400_000));
  expect(await restarted.knows('https://one')).toBe(false);
});

test('a window that only the headers state is limited to the rate of the known one', async () => {
  const venue = new Venue({ seed: 'noticed', startMs: START_MS });
  const log = memoryLog();
  const limiter = rateLimiter({
    clock: venue.clock,
    store: limitsStore(),
    log,
    venue: BINANCE,
    prior: [WEIGHT],
    share: 1,
    probeMsMax: 20_000,
  });
  const used = [{ name: WEIGHT.name, windowMs: 10_000, used: 2 }];
  for (let request = 0; request < 2; request++) {
    const grant = await venue.clock.runUntil(limiter.take(KLINES_WEIGHT, never));
    await venue.clock.runUntil(
      grant.settle({ sentAtMs: venue.clock.nowMs(), answeredAtMs: venue.clock.nowMs(), dateMs: null, used }),
    );
  }
  expect(log.lines.map(({ message }) => message)).toEqual([
    'binance counts REQUEST_WEIGHT in windows of 10 s, which is not known; kept at 1000',
  ]);
  await venue.clock.runUntil(limiter.take(990, never).then((grant) => grant.settle(null)));
  const beforeMs = venue.clock.monotonicMs();
  await venue.clock.runUntil(limiter.take(990, never));
  expect(venue.clock.monotonicMs() - beforeMs).toBeGreaterThan(5_000);
});
