import { expect, test } from 'vitest';
import { CancelledError } from '../../../src/errors/classify.ts';
import {
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
} from './rate-limited-venue.ts';

test.each([
  ['6,000 a minute', WEIGHT, 16_000],
  ['1,000 in 10 s', TEN_SECONDS, 5_260],
] as const)('one process alone uses a whole limit of %s and no request is refused', async (_name, limit, pages) => {
  const venue = new Venue({ seed: `alone ${limit.windowMs}`, limit, startMs: START_MS });
  await venue.clock.runUntil(venue.fetchAll(limiterOn(venue, limitsStore(), { limit }), pages));
  const floor = floorMs(limit, pages * KLINES_WEIGHT, START_MS % limit.windowMs);
  expect(venue.refused).toBe(0);
  expect(venue.responses).toBe(pages);
  expect(floor / venue.clock.monotonicMs()).toBeGreaterThanOrEqual(FLOOR_RATIO_MIN);
});

test.each([-400, -150, 0, 150, 400])(
  'with a venue clock %i ms ahead of ours no time is lost and no request is refused',
  async (clockErrorMs) => {
    const venue = new Venue({ seed: `clock ${clockErrorMs}`, limit: TEN_SECONDS, clockErrorMs, startMs: START_MS });
    await venue.clock.runUntil(venue.fetchAll(limiterOn(venue, limitsStore(), { limit: TEN_SECONDS }), 5_260));
    expect(venue.refused).toBe(0);
    expect(floorMs(TEN_SECONDS, 10_520, 0) / venue.clock.monotonicMs()).toBeGreaterThanOrEqual(FLOOR_RATIO_MIN);
  },
);

test.each(['kept', 'lost'] as const)(
  'a restart in a window with 4,000 of 6,000 used, its state %s, causes no refusal',
  async (state) => {
    const venue = new Venue({ seed: `restart ${state}`, startMs: Date.UTC(2024, 0, 1) + 500 });
    const store = limitsStore();
    await venue.clock.runUntil(venue.fetchAll(limiterOn(venue, store), 2_000));
    expect(venue.clock.nowMs()).toBeLessThan(Date.UTC(2024, 0, 1) + MINUTE_MS);
    await venue.clock.runUntil(venue.fetchAll(limiterOn(venue, state === 'kept' ? store : limitsStore()), 4_000));
    expect(venue.refused).toBe(0);
    expect([...venue.usedByWindow.values()].slice(0, 1)).toEqual([6_000]);
  },
);

test('a request without a response is charged, because the venue may have counted it', async () => {
  const venue = new Venue({ seed: 'unanswered', limit: TEN_SECONDS, startMs: START_MS });
  const limiter = limiterOn(venue, limitsStore(), { limit: TEN_SECONDS });
  await venue.clock.runUntil(venue.send(limiter));
  for (let lost = 0; lost < 499; lost++)
    await venue.clock.runUntil(limiter.take(KLINES_WEIGHT, never).then((grant) => grant.settle(null)));
  expect(venue.clock.monotonicMs()).toBeLessThan(TEN_SECONDS.windowMs);
  await venue.clock.runUntil(venue.send(limiter));
  expect(venue.clock.monotonicMs()).toBeGreaterThanOrEqual(TEN_SECONDS.windowMs);
});

test('weight of a request that was not sent is available at once and counts in no later window', async () => {
  const venue = new Venue({ seed: 'given back', limit: TEN_SECONDS, startMs: START_MS });
  const limiter = limiterOn(venue, limitsStore(), { limit: TEN_SECONDS });
  await venue.clock.runUntil(venue.send(limiter));
  for (let unsent = 0; unsent < 5; unsent++)
    await venue.clock.runUntil(limiter.take(998, never).then((grant) => grant.giveBack()));
  expect(venue.clock.monotonicMs()).toBeLessThan(TEN_SECONDS.windowMs);
  await venue.clock.runUntil(venue.clock.sleep(TEN_SECONDS.windowMs));
  await venue.clock.runUntil(limiter.take(1_000, never));
  expect(venue.clock.monotonicMs()).toBeLessThan(2 * TEN_SECONDS.windowMs);
});

test('without stored state one request goes first, and the others wait until its response states the use', async () => {
  const venue = new Venue({ seed: 'careful', startMs: START_MS });
  const limiter = limiterOn(venue, limitsStore());
  const ahead = await venue.clock.runUntil(limiter.take(KLINES_WEIGHT, never));
  let granted = 0;
  const behind = Array.from({ length: 8 }, () => limiter.take(KLINES_WEIGHT, never).then(() => void (granted += 1)));
  await venue.clock.run({ untilMs: START_MS + 5_000 });
  expect(granted).toBe(0);
  await venue.clock.runUntil(
    ahead.settle({
      sentAtMs: START_MS,
      answeredAtMs: venue.clock.nowMs(),
      dateMs: START_MS,
      used: [{ name: WEIGHT.name, windowMs: WEIGHT.windowMs, used: 5_996 }],
    }),
  );
  await venue.clock.run({ untilMs: START_MS + 25_000 });
  expect(granted).toBe(2);
  await venue.clock.runUntil(Promise.all(behind));
  expect(venue.clock.nowMs()).toBeGreaterThanOrEqual(START_MS + 30_000);
});

test('a cancelled wait spends nothing and does not delay the waits behind it', async () => {
  const venue = new Venue({ seed: 'cancelled', limit: TEN_SECONDS, startMs: START_MS });
  const limiter = limiterOn(venue, limitsStore(), { limit: TEN_SECONDS });
  await venue.clock.runUntil(venue.send(limiter, 1_000));
  const stop = new AbortController();
  const cancelled = [limiter.take(1_000, stop.signal), limiter.take(1_000, stop.signal)].map((taken) =>
    taken.catch((error: unknown) => error),
  );
  const behind = limiter.take(1_000, never);
  await venue.clock.runUntil(venue.clock.sleep(100));
  const beforeMs = venue.clock.monotonicMs();
  stop.abort(new CancelledError('SIGINT'));
  for (const ended of cancelled) expect(await venue.clock.runUntil(ended)).toBeInstanceOf(CancelledError);
  expect(venue.clock.monotonicMs()).toBe(beforeMs);
  await venue.clock.runUntil(behind);
  expect(venue.clock.monotonicMs()).toBeLessThan(1.2 * TEN_SECONDS.windowMs);
});

test.each([6 * 86_400_000, -86_400_000])('a limiter whose clock moves on by %i ms still grants', async (byMs) => {
  const venue = new Venue({ seed: 'idle', limit: { ...WEIGHT, windowMs: 1_000 }, startMs: START_MS });
  const limiter = limiterOn(venue, limitsStore(), { limit: { ...WEIGHT, windowMs: 1_000 } });
  await venue.clock.runUntil(venue.fetchAll(limiter, 20));
  venue.clock.jump(byMs);
  await venue.clock.runUntil(venue.fetchAll(limiter, 20));
  expect(venue.clock.monotonicMs()).toBeLessThan(20_000);
});
