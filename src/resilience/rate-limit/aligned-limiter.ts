import type { Clock } from '../../platform/ports/clock.ts';
import type { Operation, Store } from '../../platform/ports/store.ts';
import {
  decideWindow,
  endedWithin,
  observeWindow,
  probeLost,
  SCOUT_RATIO,
  type ReportedUse,
  type WindowDecision,
  type WindowState,
  type WindowTime,
} from './aligned-window.ts';
import { concurrencyLimit } from './concurrency-limit.ts';
import type { Grant, ResponseMetadata } from '../policies.ts';
import { costOf, type RateLimit } from './rate-limit.ts';
import type { VenueKey } from '../schema.ts';
import { exchangeClock } from './exchange-clock.ts';
import { keyOf, storeWindow, windowsOf } from './window-store.ts';

export interface AlignedLimiterOptions {
  readonly clock: Clock;
  readonly store: Store;
  readonly venue: VenueKey;
  /** 0 < share <= 1. */
  readonly share: number;
  /** Longer than any attempt takes. */
  readonly probeMsMax: number;
}

/** How often a waiting request checks for the response of the probe. Unit: milliseconds. */
const CHECK_EVERY_MS = 50;
/** Timers end in whole milliseconds: one more, so that the boundary has passed. */
const BOUNDARY_MS = 1;
/** With an unknown exchange clock, at most this part of a window stays unused at its boundary. */
const UNSURE_RATIO_MAX = 0.25;
/** Responses whose median estimates what others use. */
const ESTIMATES = 16;

/** Weight of one request under one aligned limit. */
interface Spending {
  readonly limit: RateLimit;
  readonly cost: number;
  /** Index of the window it was granted in. */
  readonly index: number;
  /** Everything spent in that window, this grant included. */
  readonly position: number;
}

type WeightDecision =
  | { readonly granted: true; readonly spendings: readonly Spending[] }
  | { readonly granted: false; readonly waitMs: number };

/**
 * Limits per window of the exchange's wall clock, counted in the store by all processes of an address. Each request
 * takes its weight in a short transaction of its own, so that no grant lies idle. While the exchange's clock may be on
 * either side of a boundary, nothing is granted; requests in flight at a boundary are charged to both windows. The use
 * that the exchange states leaves room for others on our address. `WindowState` draws the states of one window.
 */
export class AlignedLimiter {
  readonly #options: AlignedLimiterOptions;
  readonly #queue = concurrencyLimit(1);
  readonly #time = exchangeClock();
  readonly #estimates = new Map<string, { readonly index: number; readonly last: number[] }>();
  /** Spendings of this process whose requests have not ended. */
  #inFlight = 0;

  constructor(options: AlignedLimiterOptions) {
    this.#options = options;
  }

  /**
   * Grants `weight` under all aligned limits in force at that moment. First come, first served.
   * @throws the signal's reason.
   */
  async take(inForce: () => Operation<readonly RateLimit[]>, weight: number, signal: AbortSignal): Promise<Grant> {
    const { clock, store } = this.#options;
    const leave = await this.#queue.take(signal);
    try {
      for (;;) {
        signal.throwIfAborted();
        const decision = await store.transact(() => this.#takeWeight(inForce, weight));
        if (decision.granted) return this.#grant(decision.spendings);
        await clock.sleep(decision.waitMs, signal);
      }
    } finally {
      leave();
    }
  }

  *#takeWeight(inForce: () => Operation<readonly RateLimit[]>, weight: number): Operation<WeightDecision> {
    const { clock, venue, share, probeMsMax } = this.#options;
    const nowMs = clock.nowMs();
    if (!this.#time.hasObserved(nowMs) && this.#inFlight > 0) return { granted: false, waitMs: CHECK_EVERY_MS };
    const limits = yield* inForce();
    const known = yield* windowsOf(venue);
    const granted: { readonly spending: Spending; readonly state: WindowState }[] = [];
    let waitMs = 0;
    for (const limit of limits) {
      const { boundaryInMs, ...time } = this.#timeUnder(limit, nowMs);
      const cost = costOf(limit, weight);
      const decision = decideWindow(known.get(keyOf(limit)) ?? null, {
        time,
        cost,
        limit: limit.limit,
        share,
        nowMs,
        probeMsMax,
      });
      if (boundaryInMs > 0) waitMs = Math.max(waitMs, boundaryInMs + BOUNDARY_MS);
      else if (!decision.granted) waitMs = Math.max(waitMs, waitUntil(decision.until, time));
      else
        granted.push({
          spending: { limit, cost, index: time.index, position: decision.state.spent },
          state: decision.state,
        });
    }
    if (waitMs > 0) return { granted: false, waitMs };
    for (const { spending, state } of granted) yield* storeWindow(venue, spending.limit, state);
    return { granted: true, spendings: granted.map(({ spending }) => spending) };
  }

  /** The latest window the exchange may be in, the least time since its beginning, and the time until it has begun. */
  #timeUnder({ windowMs }: RateLimit, nowMs: number): WindowTime & { readonly boundaryInMs: number } {
    const { earliestMs, latestMs } = this.#time.at(nowMs);
    const middleMs = (earliestMs + latestMs) / 2;
    const unsureMs = Math.min(latestMs - earliestMs, windowMs * UNSURE_RATIO_MAX) / 2;
    const index = Math.floor((middleMs + unsureMs) / windowMs);
    const intoMs = middleMs - unsureMs - index * windowMs;
    return { index, windowMs, intoMs: Math.max(0, intoMs), boundaryInMs: Math.max(0, -intoMs) };
  }

  #grant(spendings: readonly Spending[]): Grant {
    this.#inFlight += spendings.length;
    return {
      giveBack: async () => {
        this.#inFlight -= spendings.length;
        await this.#change(spendings, (state, { cost }) => ({
          ...probeLost(endedWithin(state, cost)),
          spent: Math.max(0, state.spent - cost),
        }));
      },
      settle: async (metadata) => {
        this.#inFlight -= spendings.length;
        await this.#settle(spendings, metadata);
      },
    };
  }

  async #settle(spendings: readonly Spending[], metadata: ResponseMetadata | null): Promise<void> {
    this.#time.observe(metadata);
    const endedAtMs = metadata?.answeredAtMs ?? this.#options.clock.nowMs();
    const times = new Map(spendings.map((spending) => [spending, this.#timeUnder(spending.limit, endedAtMs)]));
    const within = spendings.filter((spending) => times.get(spending)?.index === spending.index);
    if (metadata === null) {
      await this.#change(spendings, (state, spending) =>
        probeLost(within.includes(spending) ? endedWithin(state, spending.cost) : state),
      );
      return;
    }
    const reports = new Map(
      within.map((spending): [Spending, ReportedUse | null] => {
        const used = metadata.used.find((one) => keyOf(one) === keyOf(spending.limit))?.used;
        return [spending, used === undefined ? null : { used, estimate: this.#estimateOthers(spending, used) }];
      }),
    );
    await this.#change(within, (state, spending) =>
      observeWindow(
        endedWithin(state, spending.cost),
        reports.get(spending) ?? null,
        times.get(spending) as WindowTime,
      ),
    );
  }

  /** Use by others: the median, over the last responses, of the stated use minus what we had spent when we sent. */
  #estimateOthers({ limit, index, position }: Spending, used: number): number {
    const known = this.#estimates.get(keyOf(limit));
    const last = known?.index === index ? known.last : [];
    last.push(used - position);
    if (last.length > ESTIMATES) last.shift();
    this.#estimates.set(keyOf(limit), { index, last });
    return last.toSorted((a, b) => a - b)[Math.floor((last.length - 1) / 2)] ?? 0;
  }

  /** Changes the windows of these spendings, unless a newer window has begun. */
  async #change(
    spendings: readonly Spending[],
    changed: (state: WindowState, spending: Spending) => WindowState,
  ): Promise<void> {
    const { store, venue } = this.#options;
    if (spendings.length === 0) return;
    await store.transact(function* changeLimitWindows() {
      const known = yield* windowsOf(venue);
      for (const spending of spendings) {
        const state = known.get(keyOf(spending.limit));
        if (state?.index === spending.index) yield* storeWindow(venue, spending.limit, changed(state, spending));
      }
    });
  }
}

type Until = Extract<WindowDecision, { readonly granted: false }>['until'];

function waitUntil(until: Until, { windowMs, intoMs }: WindowTime): number {
  switch (until) {
    case 'next-window':
      return windowMs - intoMs + BOUNDARY_MS;
    case 'response':
      return CHECK_EVERY_MS;
    case 'others':
      return windowMs * SCOUT_RATIO;
    default:
      return until satisfies never;
  }
}
