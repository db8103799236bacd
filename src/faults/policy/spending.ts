import type { RateLimit } from './rate-limit.ts';
import { keyOf } from './window-store.ts';

/** What one request took under one aligned limit. */
export interface Spending {
  readonly limit: RateLimit;
  readonly cost: number;
  /** Window it was granted in. */
  readonly index: number;
  /** All that was spent in that window once it was granted. */
  readonly position: number;
}

/** Spendings that may still be counted in a window to come: a request under way over a border may fall on either side. */
export interface Straddlers {
  /** Cost of what was granted under `limit` before window `index`, is not charged to it yet and may be counted in it. */
  carriedTo(limit: RateLimit, index: number): number;
  /** The request left. What `carriedTo` its window named is charged there from now on. */
  sent(spending: Spending): void;
  /** The request ended when the venue was in window `index` at the latest; no later one counts it. */
  ended(spending: Spending, index: number): void;
  /** It was never sent. */
  unsent(spending: Spending): void;
  areThere(): boolean;
}

export function straddlers(): Straddlers {
  /** The newest window each is charged to, and the newest it may be counted in. */
  const open = new Map<Spending, { chargedTo: number; reaches: number }>();
  const carried = (limit: RateLimit, index: number): Spending[] =>
    [...open].filter(([one, { chargedTo, reaches }]) => keyOf(one.limit) === keyOf(limit) && chargedTo < index && reaches >= index).map(([one]) => one);
  const forgetCharged = (): void => {
    for (const [one, { chargedTo, reaches }] of open) if (reaches <= chargedTo) open.delete(one);
  };
  return {
    carriedTo: (limit, index) => carried(limit, index).reduce((sum, { cost }) => sum + cost, 0),
    sent: (spending) => {
      for (const one of carried(spending.limit, spending.index)) open.set(one, { chargedTo: spending.index, reaches: open.get(one)?.reaches ?? Infinity });
      open.set(spending, { chargedTo: spending.index, reaches: Infinity });
      forgetCharged();
    },
    ended: (spending, index) => {
      const known = open.get(spending);
      if (known !== undefined) known.reaches = index;
      forgetCharged();
    },
    unsent: (spending) => void open.delete(spending),
    areThere: () => open.size > 0,
  };
}
