import { onTestFinished } from 'vitest';
import { memoryLog } from '../../support/virtual/memory-log.ts';
import type { Random } from '../../../src/platform/ports/random.ts';
import { seededRandom } from '../../../src/platform/seeded-random.ts';
import { openSqliteStore } from '../../../src/platform/node/sqlite-store.ts';
import type { Store } from '../../../src/platform/ports/store.ts';
import { VirtualClock } from '../../support/virtual/virtual-clock.ts';
import { concurrencyLimit } from '../../../src/resilience/rate-limit/concurrency-limit.ts';
import type { Limiter } from '../../../src/resilience/policies.ts';
import type { RateLimit } from '../../../src/resilience/rate-limit/rate-limit.ts';
import { rateLimiter } from '../../../src/resilience/rate-limit/rate-limiter.ts';
import { POLICY_MIGRATIONS } from '../../../src/resilience/schema.ts';
import { weightMeter, type WeightMeter } from '../../../src/simulation/stand-ins/weight-meter.ts';

export const MINUTE_MS = 60_000;
export const WEIGHT: RateLimit = {
  name: 'REQUEST_WEIGHT',
  limit: 6_000,
  windowMs: MINUTE_MS,
  shape: 'aligned',
  counts: 'weight',
};
export const TEN_SECONDS: RateLimit = { ...WEIGHT, limit: 1_000, windowMs: 10_000 };
export const KLINES_WEIGHT = 2;
export const EXCHANGE_INFO_WEIGHT = 20;
export const WORKERS = 16;
export const BINANCE = { exchange: 'binance', egress: 'direct' };
export const never = new AbortController().signal;

/** A venue that counts like Binance, with a latency and a clock of its own. */
export class Venue {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly #meter: WeightMeter;
  readonly #clockErrorMs: number;
  readonly #limit: RateLimit;
  readonly #slowMs: number;
  refused = 0;
  othersRefused = 0;
  responses = 0;
  usedByWindow = new Map<number, number>();

  /** `slowMs`: the most that is added to one latency in ten. */
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

  /** The latency one way: 20 to 150 ms, or a slow one. */
  #latency(): Promise<void> {
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
  async send(limiter: Limiter, weight = KLINES_WEIGHT): Promise<void> {
    const grant = await limiter.take(weight, never);
    const sentAtMs = this.clock.nowMs();
    await this.#latency();
    const { used, isRefused, dateMs } = this.#charge(weight);
    if (isRefused) this.refused += 1;
    else this.responses += 1;
    await this.#latency();
    await grant.settle({
      sentAtMs,
      answeredAtMs: this.clock.nowMs(),
      dateMs,
      used: [{ name: this.#limit.name, windowMs: this.#limit.windowMs, used }],
    });
  }

  /** Another client on our address. */
  async otherClient({ weight, everyMs, untilMs }: { weight: number; everyMs: number; untilMs: number }): Promise<void> {
    while (this.clock.nowMs() < untilMs) {
      if (this.#charge(weight).isRefused) this.othersRefused += 1;
      await this.clock.sleep(everyMs);
    }
  }

  /** Sends `pages` requests through the limiter of one process, as many concurrently as it has slots. */
  async fetchAll(limiter: Limiter, pages: number): Promise<void> {
    const slots = concurrencyLimit(WORKERS);
    await Promise.all(
      Array.from({ length: pages }, async () => {
        const leave = await slots.take(never);
        await this.send(limiter);
        leave();
      }),
    );
  }
}

export function limitsStore(): Store {
  const store = openSqliteStore({ path: ':memory:', migrations: POLICY_MIGRATIONS });
  onTestFinished(() => store.close());
  return store;
}

export const limiterOn = (
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

/** Least ratio of the shortest possible time to the actual time. */
export const FLOOR_RATIO_MIN = 0.95;

/** Shortest time in which a limit allows `weight`, starting `intoWindowMs` into a window. */
export const floorMs = (limit: RateLimit, weight: number, intoWindowMs: number): number =>
  weight <= limit.limit
    ? 0
    : limit.windowMs - intoWindowMs + limit.windowMs * (Math.ceil((weight - limit.limit) / limit.limit) - 1);

export const START_MS = Date.UTC(2024, 0, 1) + 30_000;
