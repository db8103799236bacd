import { expect, onTestFinished, test } from 'vitest';
import { memoryLog } from '../../support/memory-log.ts';
import type { Random } from '../../../src/platform/ports/random.ts';
import { seededRandom } from '../../../src/platform/seeded-random.ts';
import { openSqliteStore } from '../../../src/platform/node/sqlite-store.ts';
import type { Store } from '../../../src/platform/ports/store.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { concurrencyLimit } from '../../../src/resilience/rate-limit/concurrency-limit.ts';
import type { Limiter } from '../../../src/resilience/policies.ts';
import type { RateLimit } from '../../../src/resilience/rate-limit/rate-limit.ts';
import { rateLimiter } from '../../../src/resilience/rate-limit/rate-limiter.ts';
import { POLICY_MIGRATIONS } from '../../../src/resilience/schema.ts';
import { keyOf, windowsOf } from '../../../src/resilience/rate-limit/window-store.ts';
import { CancelledError } from '../../../src/errors/classify.ts';
import { bucketMeter } from '../../../src/simulation/stand-ins/bucket-meter.ts';
import { slidingMeter } from '../../../src/simulation/stand-ins/sliding-meter.ts';
import { weightMeter, type WeightMeter } from '../../../src/simulation/stand-ins/weight-meter.ts';

const MINUTE_MS = 60_000;
const WEIGHT: RateLimit = {
  name: 'REQUEST_WEIGHT',
  limit: 6_000,
  windowMs: MINUTE_MS,
  shape: 'aligned',
  counts: 'weight',
};
const TEN_SECONDS: RateLimit = { ...WEIGHT, limit: 1_000, windowMs: 10_000 };
const KLINES_WEIGHT = 2;
const EXCHANGE_INFO_WEIGHT = 20;
const WORKERS = 16;
const BINANCE = { exchange: 'binance', egress: 'direct' };
const never = new AbortController().signal;

/** A venue that counts like Binance, some way off and with a clock of its own. */
class Venue {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly #meter: WeightMeter;
  readonly #clockErrorMs: number;
  readonly #limit: RateLimit;
  readonly #slowMs: number;
  refused = 0;
  othersRefused = 0;
  answered = 0;
  usedByWindow = new Map<number, number>();

  /** `slowMs`: how much longer one journey in ten may take. */
  constructor({
    seed,
    limit = WEIGHT,
    clockErrorMs = 0,
    slowMs = 0,
    startMs,
  }: { seed: string; limit?: RateLimit; clockErrorMs?: number; slowMs?: number; startMs: number }) {
    this.random = seededRandom(seed);
    this.clock = new VirtualClock({ random: this.random, startMs });
    this.#limit = limit;
    this.#clockErrorMs = clockErrorMs;
    this.#slowMs = slowMs;
    this.#meter = weightMeter({ weight: limit.limit, windowMs: limit.windowMs });
  }

  /** Between 20 and 150 ms, unless it is a slow one. */
  #journey(): Promise<void> {
    const slowMs = this.#slowMs > 0 && this.random.next() < 0.1 ? this.random.next() * this.#slowMs : 0;
    return this.clock.sleep(20 + this.random.next() * 130 + slowMs);
  }

  #charge(weight: number): { used: number; isRefused: boolean; dateMs: number } {
    const nowMs = this.clock.nowMs() + this.#clockErrorMs;
    const { used, refusal } = this.#meter.charge({ weight, sentWhileClosed: false }, nowMs);
    const window = Math.floor(nowMs / this.#limit.windowMs);
    this.usedByWindow.set(window, (this.usedByWindow.get(window) ?? 0) + (refusal === null ? weight : 0));
    return { used, isRefused: refusal !== null, dateMs: Math.floor(nowMs / 1_000) * 1_000 };
  }

  /** One request of ours under a limiter. */
  async ask(limiter: Limiter, weight = KLINES_WEIGHT): Promise<void> {
    const grant = await limiter.take(weight, never);
    const sentAtMs = this.clock.nowMs();
    await this.#journey();
    const { used, isRefused, dateMs } = this.#charge(weight);
    if (isRefused) this.refused += 1;
    else this.answered += 1;
    await this.#journey();
    await grant.settle({
      sentAtMs,
      answeredAtMs: this.clock.nowMs(),
      dateMs,
      used: [{ name: this.#limit.name, windowMs: this.#limit.windowMs, used }],
    });
  }

  /** Somebody else on our address. */
  async otherClient({ weight, everyMs, untilMs }: { weight: number; everyMs: number; untilMs: number }): Promise<void> {
    while (this.clock.nowMs() < untilMs) {
      if (this.#charge(weight).isRefused) this.othersRefused += 1;
      await this.clock.sleep(everyMs);
    }
  }

  /** Asks `pages` times through a process's limiter, as many at once as its slots allow. */
  async fetchAll(limiter: Limiter, pages: number): Promise<void> {
    const slots = concurrencyLimit(WORKERS);
    await Promise.all(
      Array.from({ length: pages }, async () => {
        const leave = await slots.take(never);
        await this.ask(limiter);
        leave();
      }),
    );
  }
}

function limitsStore(): Store {
  const store = openSqliteStore({ path: ':memory:', migrations: POLICY_MIGRATIONS });
  onTestFinished(() => store.close());
  return store;
}

const limiterOn = (
  venue: Venue,
  store: Store,
  { share = 1, limit = WEIGHT }: { share?: number; limit?: RateLimit } = {},
): Limiter =>
  rateLimiter({
    clock: venue.clock,
    store,
    log: memoryLog(),
    venue: BINANCE,
    prior: [limit],
    share,
    probeMsMax: 20_000,
  });

/** More than this part of the time the limit allows must not be given away: F = floor / actual. */
const FLOOR_RATIO_MIN = 0.95;

/** Shortest time a limit allows for `weight`, beginning `intoWindowMs` into a window. */
const floorMs = (limit: RateLimit, weight: number, intoWindowMs: number): number =>
  weight <= limit.limit
    ? 0
    : limit.windowMs - intoWindowMs + limit.windowMs * (Math.ceil((weight - limit.limit) / limit.limit) - 1);

const START_MS = Date.UTC(2024, 0, 1) + 30_000;

test.each([
  ['6,000 a minute', WEIGHT, 16_000],
  ['1,000 in 10 s', TEN_SECONDS, 5_260],
] as const)(
  'alone at the whole of a limit of %s no time is given away and no request refused',
  async (_name, limit, pages) => {
    const venue = new Venue({ seed: `alone ${limit.windowMs}`, limit, startMs: START_MS });
    await venue.clock.runUntil(venue.fetchAll(limiterOn(venue, limitsStore(), { limit }), pages));
    const floor = floorMs(limit, pages * KLINES_WEIGHT, START_MS % limit.windowMs);
    expect(venue.refused).toBe(0);
    expect(venue.answered).toBe(pages);
    expect(floor / venue.clock.monotonicMs()).toBeGreaterThanOrEqual(FLOOR_RATIO_MIN);
  },
);

test.each([-400, -150, 0, 150, 400])(
  "with a clock that is %i ms off the venue's no time is given away and no request refused",
  async (clockErrorMs) => {
    const venue = new Venue({ seed: `clock ${clockErrorMs}`, limit: TEN_SECONDS, clockErrorMs, startMs: START_MS });
    await venue.clock.runUntil(venue.fetchAll(limiterOn(venue, limitsStore(), { limit: TEN_SECONDS }), 5_260));
    expect(venue.refused).toBe(0);
    expect(floorMs(TEN_SECONDS, 10_520, 0) / venue.clock.monotonicMs()).toBeGreaterThanOrEqual(FLOOR_RATIO_MIN);
  },
);

test.each([
  [2, 120, 0.9],
  [17, 1_020, 1],
  [100, 6_000, 1],
] as const)(
  'somebody else on our address who spends %i every %i ms, 1,000 a minute, costs us no refusal at a share of %d, and is left room',
  async (weight, everyMs, share) => {
    for (const seed of ['one', 'two', 'three']) {
      const venue = new Venue({ seed, startMs: START_MS + Math.floor(seededRandom(seed).next() * MINUTE_MS) });
      const others = venue.otherClient({ weight, everyMs, untilMs: START_MS + 5 * MINUTE_MS });
      await venue.clock.runUntil(venue.fetchAll(limiterOn(venue, limitsStore(), { share }), 8_000));
      expect({ seed, refused: venue.refused, answered: venue.answered }).toEqual({ seed, refused: 0, answered: 8_000 });
      expect(venue.othersRefused).toBeLessThan(10); // ten refusals would ban the address we share
      expect(venue.clock.monotonicMs()).toBeLessThan(4 * MINUTE_MS); // at least 5,000 of each 6,000 is ours
      await venue.clock.runUntil(others);
    }
  },
);

test.each(['kept', 'lost'] as const)(
  'a restart in a window with 4,000 of 6,000 used, the state %s, costs no refusal',
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

test('eight processes on one address use the limit together, are never refused, and none starves', async () => {
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
  "what one of eight processes has under way while a window turns is not taken for somebody else's by the others, and none is refused (seed %s)",
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

test.each(['a', 'b', 'c'])(
  'eight processes that begin at once and learn each for itself that the limit is another than the known one are never refused (seed %s)',
  async (seed) => {
    const venue = new Venue({ seed: `beginning ${seed}`, limit: TEN_SECONDS, startMs: START_MS });
    const store = limitsStore();
    await venue.clock.runUntil(
      Promise.all(
        Array.from({ length: 8 }, async () => {
          const limiter = limiterOn(venue, store);
          await venue.clock.sleep(venue.random.next() * 300);
          if (!(await limiter.knows('https://venue'))) {
            await venue.ask(limiter, EXCHANGE_INFO_WEIGHT);
            await limiter.learn([TEN_SECONDS], 'https://venue');
          }
          await venue.fetchAll(limiter, 200);
        }),
      ),
    );
    expect(venue.refused).toBe(0);
  },
);

test.each([2, 8])(
  '%i data directories that share nothing but their address make room for each other by what the headers say',
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

test('a request that brought no answer is charged: what the venue may have counted is not spent again', async () => {
  const venue = new Venue({ seed: 'unanswered', limit: TEN_SECONDS, startMs: START_MS });
  const limiter = limiterOn(venue, limitsStore(), { limit: TEN_SECONDS });
  await venue.clock.runUntil(venue.ask(limiter));
  for (let lost = 0; lost < 499; lost++)
    await venue.clock.runUntil(limiter.take(KLINES_WEIGHT, never).then((grant) => grant.settle(null)));
  expect(venue.clock.monotonicMs()).toBeLessThan(TEN_SECONDS.windowMs);
  await venue.clock.runUntil(venue.ask(limiter));
  expect(venue.clock.monotonicMs()).toBeGreaterThanOrEqual(TEN_SECONDS.windowMs);
});

test('weight that is given back because the request was not sent is spent by the next, and counts in no later window', async () => {
  const venue = new Venue({ seed: 'given back', limit: TEN_SECONDS, startMs: START_MS });
  const limiter = limiterOn(venue, limitsStore(), { limit: TEN_SECONDS });
  await venue.clock.runUntil(venue.ask(limiter));
  for (let unsent = 0; unsent < 5; unsent++)
    await venue.clock.runUntil(limiter.take(998, never).then((grant) => grant.giveBack()));
  expect(venue.clock.monotonicMs()).toBeLessThan(TEN_SECONDS.windowMs);
  await venue.clock.runUntil(venue.clock.sleep(TEN_SECONDS.windowMs));
  await venue.clock.runUntil(limiter.take(1_000, never));
  expect(venue.clock.monotonicMs()).toBeLessThan(2 * TEN_SECONDS.windowMs);
});

test('a fresh state sends one request ahead and nothing more until its answer has told what is used', async () => {
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

test('a cancelled wait neither spends nor holds up the ones behind it', async () => {
  const venue = new Venue({ seed: 'cancelled', limit: TEN_SECONDS, startMs: START_MS });
  const limiter = limiterOn(venue, limitsStore(), { limit: TEN_SECONDS });
  await venue.clock.runUntil(venue.ask(limiter, 1_000));
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

test('limits a venue states replace the known ones, for every process and after a restart; the drift is said once', async () => {
  const venue = new Venue({ seed: 'learned', startMs: START_MS });
  const [store, log] = [limitsStore(), memoryLog()];
  const limiter = (): Limiter =>
    rateLimiter({ clock: venue.clock, store, log, venue: BINANCE, prior: [WEIGHT], share: 1, probeMsMax: 20_000 });
  const learner = limiter();
  expect(await learner.knows('https://one')).toBe(false);
  for (let day = 0; day < 3; day++) await learner.learn([TEN_SECONDS], 'https://one');
  expect(log.lines.map(({ message }) => message)).toEqual([
    'binance states other limits than are known; its own are kept: REQUEST_WEIGHT: 1000 in 10 s, known 6000 in 60 s',
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

test.each([6 * 86_400_000, -86_400_000])('a limiter whose clock moves on by %i ms still grants', async (byMs) => {
  const venue = new Venue({ seed: 'idle', limit: { ...WEIGHT, windowMs: 1_000 }, startMs: START_MS });
  const limiter = limiterOn(venue, limitsStore(), { limit: { ...WEIGHT, windowMs: 1_000 } });
  await venue.clock.runUntil(venue.fetchAll(limiter, 20));
  venue.clock.jump(byMs);
  await venue.clock.runUntil(venue.fetchAll(limiter, 20));
  expect(venue.clock.monotonicMs()).toBeLessThan(20_000);
});

test('a window that only the headers name is kept at the rate of the known one', async () => {
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
  const harness = [{ name: WEIGHT.name, windowMs: 10_000, used: 2 }];
  for (let request = 0; request < 2; request++) {
    const grant = await venue.clock.runUntil(limiter.take(KLINES_WEIGHT, never));
    await venue.clock.runUntil(
      grant.settle({ sentAtMs: venue.clock.nowMs(), answeredAtMs: venue.clock.nowMs(), dateMs: null, used: harness }),
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
  'under %s three processes are never refused, give little time away and take turns',
  async (_name, limit, meterOf) => {
    const venue = new Venue({ seed: `paced ${limit.shape}`, startMs: START_MS });
    const [store, meter] = [limitsStore(), meterOf()];
    const order: number[] = [];
    let refused = 0;
    const ask = async (limiter: Limiter, process: number): Promise<void> => {
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
              await ask(limiter, process);
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
