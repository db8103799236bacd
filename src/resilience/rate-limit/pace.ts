import { costOf, type RateLimit } from './rate-limit.ts';

/**
 * Limits whose use the exchange does not state are kept by booking: each request books the earliest time after all
 * bookings before it, so no request is overtaken or starves. Costs are in the limit's units.
 */
export type Booked =
  /** When a bucket is full again. */
  | { readonly shape: 'bucket'; readonly fullAtMs: number }
  /** Bookings of the last window and those to come, oldest first. */
  | { readonly shape: 'sliding'; readonly spent: readonly (readonly [atMs: number, cost: number])[] };

/** Part of a window left unused, because requests arrive closer together than they were sent. Unit: milliseconds. */
export const TRANSIT_MS = 100;
/** Bookings further ahead were written before a clock was set back. Unit: milliseconds. */
const AHEAD_MS_MAX = 600_000;

export interface PaceRequest {
  readonly limit: RateLimit;
  readonly share: number;
  readonly weight: number;
}

/**
 * When this request may be sent, from `fromMs` on. One heavier than our whole share waits until nothing else is spent.
 */
export function earliestMs(booked: Booked | null, { limit, share, weight }: PaceRequest, fromMs: number): number {
  const cost = costOf(limit, weight);
  const granted = limit.limit * share;
  if (booked === null) return fromMs;
  if (booked.shape === 'bucket') {
    if (booked.fullAtMs - fromMs > AHEAD_MS_MAX) return fromMs;
    const capacity = Math.max(cost, granted * (1 - TRANSIT_MS / limit.windowMs));
    return Math.max(fromMs, booked.fullAtMs - (capacity - cost) * (limit.windowMs / granted));
  }
  const spent = booked.spent.filter(([atMs]) => atMs - fromMs <= AHEAD_MS_MAX);
  const lastMs = Math.max(fromMs, spent.at(-1)?.[0] ?? fromMs);
  const forgottenAfterMs = limit.windowMs + TRANSIT_MS;
  let excess =
    spent.filter(([atMs]) => atMs + forgottenAfterMs > lastMs).reduce((sum, [, one]) => sum + one, 0) + cost - granted;
  let atMs = lastMs;
  for (const [spentAtMs, one] of spent) {
    if (excess <= 0) break;
    if (spentAtMs + forgottenAfterMs <= lastMs) continue;
    excess -= one;
    atMs = spentAtMs + forgottenAfterMs;
  }
  return atMs;
}

/** The bookings with this one added at a time from `earliestMs`; those outside every window are dropped. */
export function book(
  booked: Booked | null,
  { limit, share, weight }: PaceRequest,
  at: { readonly atMs: number; readonly nowMs: number },
): Booked {
  const cost = costOf(limit, weight);
  if (limit.shape === 'bucket') {
    const fullAtMs =
      booked?.shape === 'bucket' && booked.fullAtMs - at.nowMs <= AHEAD_MS_MAX ? booked.fullAtMs : at.atMs;
    return { shape: 'bucket', fullAtMs: Math.max(fullAtMs, at.atMs) + cost * (limit.windowMs / (limit.limit * share)) };
  }
  const spent = booked?.shape === 'sliding' ? booked.spent : [];
  const isInWindow = ([atMs]: readonly [number, number]): boolean =>
    atMs + limit.windowMs + TRANSIT_MS > at.nowMs && atMs - at.nowMs <= AHEAD_MS_MAX;
  return { shape: 'sliding', spent: [...spent.filter(isInWindow), [at.atMs, cost]] };
}
