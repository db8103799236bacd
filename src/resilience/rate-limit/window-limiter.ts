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

export interface WindowLimiterOptions {
  readonly clock: Clock;
  readonly store: Store;
  readonly venue: VenueKey;
  /** 0 < share <= 1. */
  readonly share: number;
  /** Longer than any attempt takes. */
  readonly probeMsMax: number;
}

/** While another request finds out how much is used, its answer is looked for this often. Unit: milliseconds. */
const LOOK_EVERY_MS = 50;
/** Timers end in whole milliseconds; a border is passed surely after one more. */
const BORDER_MS = 1;
/** However little is known of the venue's clock, no more than this part of a window is given away at its border. */
const UNSURE_RATIO_MAX = 0.25;
/** Answers whose median estimates what others use. */
const ESTIMATES = 16;

/** What one request took under one aligned limit. */
interface Spending {
  readonly limit: RateLimit;
  readonly cost: number;
  /** Window it was granted in. */
  readonly index: number;
  /** All that was spent in that window once it was granted. */
  readonly position: number;
}

type Turn =
  | { readonly granted: true; readonly spendings: readonly Spending[] }
  | { readonly granted: false; readonly waitMs: number };

/**
 * Aligned weighted windows, counted in the store by all processes of an address: each request takes its
 * weight in a short transaction of its own, so that nothing granted lies idle anywhere. Near a border,
 * as near as the venue's clock is known, nothing is granted; what any of them has under way while a
 * window turns is charged to both. What the venue says is used makes room for others on our address.
 */
export class WindowLimiter {
  readonly #options: WindowLimiterOptions;
  readonly #turns = concurrencyLimit(1);
  readonly #time = exchangeClock();
  readonly #estimates = new Map<string, { readonly index: number; readonly last: number[] }>();
  /** Spendings of this process whose requests have not ended. */
  #underWay = 0;

  constructor(options: WindowLimiterOptions) {
    this.#options = options;
  }

  /** Grants `weight` under all the aligned limits in force when it is granted. First come, first served. @throws the signal's reason. */
  async take(inForce: () => Operation<readonly RateLimit[]>, weight: number, signal: AbortSignal): Promise<Grant> {
    const { clock, store } = this.#options;
    const leave = await this.#turns.take(signal);
    try {
      for (;;) {
        signal.throwIfAborted();
        const turn = await store.transact(() => this.#takeTurn(inForce, weight));
        if (turn.granted) return this.#grant(turn.spendings);
        await clock.sleep(turn.waitMs, signal);
      }
    } finally {
      leave();
    }
  }

  *#takeTurn(inForce: () => Operation<readonly RateLimit[]>, weight: number): Operation<Turn> {
    const { clock, venue, share, probeMsMax } = this.#options;
    const nowMs = clock.nowMs();
    if (!this.#time.hasObserved(nowMs) && this.#underWay > 0) return { granted: false, waitMs: LOOK_EVERY_MS };
    const limits = yield* inForce();
    const known = yield* windowsOf(venue);
    const granted: { readonly spending: Spending; readonly state: WindowState }[] = [];
    let waitMs = 0;
    for (const limit of limits) {
      const { borderInMs, ...time } = this.#timeUnder(limit, nowMs);
      const cost = costOf(limit, weight);
      const response = decideWindow(known.get(keyOf(limit)) ?? null, {
        time,
        cost,
        limit: limit.limit,
        share,
        nowMs,
        probeMsMax,
      });
      if (borderInMs > 0) waitMs = Math.max(waitMs, borderInMs + BORDER_MS);
      else if (!response.granted) waitMs = Math.max(waitMs, waitUntil(response.until, time));
      else
        granted.push({
          spending: { limit, cost, index: time.index, position: response.state.spent },
          state: response.state,
        });
    }
    if (waitMs > 0) return { granted: false, waitMs };
    for (const { spending, state } of granted) yield* storeWindow(venue, spending.limit, state);
    return { granted: true, spendings: granted.map(({ spending }) => spending) };
  }

  /** The window the venue may be in already, how far it is into it at least, and how long until it is in it surely. */
  #timeUnder({ windowMs }: RateLimit, nowMs: number): WindowTime & { readonly borderInMs: number } {
    const { earliestMs, latestMs } = this.#time.at(nowMs);
    const middleMs = (earliestMs + latestMs) / 2;
    const unsureMs = Math.min(latestMs - earliestMs, windowMs * UNSURE_RATIO_MAX) / 2;
    const index = Math.floor((middleMs + unsureMs) / windowMs);
    const intoMs = middleMs - unsureMs - index * windowMs;
    return { index, windowMs, intoMs: Math.max(0, intoMs), borderInMs: Math.max(0, -intoMs) };
  }

  #grant(spendings: readonly Spending[]): Grant {
    this.#underWay += spendings.length;
    return {
      giveBack: async () => {
        this.#underWay -= spendings.length;
        await this.#change(spendings, (state, { cost }) => ({
          ...probeLost(endedWithin(state, cost)),
          spent: Math.max(0, state.spent - cost),
        }));
      },
      settle: async (metadata) => {
        this.#underWay -= spendings.length;
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
    const told = new Map(
      within.map((spending): [Spending, ReportedUse | null] => {
        const used = metadata.used.find((one) => keyOf(one) === keyOf(spending.limit))?.used;
        return [spending, used === undefined ? null : { used, estimate: this.#estimateOthers(spending, used) }];
      }),
    );
    await this.#change(within, (state, spending) =>
      observeWindow(endedWithin(state, spending.cost), told.get(spending) ?? null, times.get(spending) as WindowTime),
    );
  }

  /** How much others have used, by the last answers: each says what was used when it was counted, and we know what we had spent when we sent it. */
  #estimateOthers({ limit, index, position }: Spending, used: number): number {
    const known = this.#estimates.get(keyOf(limit));
    const last = known?.index === index ? known.last : [];
    last.push(used - position);
    if (last.length > ESTIMATES) last.shift();
    this.#estimates.set(keyOf(limit), { index, last });
    return last.toSorted((a, b) => a - b)[Math.floor((last.length - 1) / 2)] ?? 0;
  }

  /** Changes the windows these spendings lie in, unless they have turned meanwhile. */
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
      return windowMs - intoMs + BORDER_MS;
    case 'answer':
      return LOOK_EVERY_MS;
    case 'others':
      return windowMs * SCOUT_RATIO;
    default:
      return until satisfies never;
  }
}
