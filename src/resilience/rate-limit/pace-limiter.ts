import type { Clock } from '../../platform/ports/clock.ts';
import type { Operation, Store } from '../../platform/ports/store.ts';
import { all, exec } from '../../platform/statements.ts';
import { book, earliestMs, type Booked } from './pace.ts';
import type { RateLimit } from './rate-limit.ts';
import type { VenueKey } from '../schema.ts';

export interface PaceLimiterOptions {
  readonly clock: Clock;
  readonly store: Store;
  readonly venue: VenueKey;
  /** 0 < share <= 1. */
  readonly share: number;
}

export interface PaceLimiter {
  /**
   * Waits for the time booked under all of `limits`, which are buckets and sliding windows.
   * @throws the signal's reason.
   */
  take(limits: readonly RateLimit[], weight: number, signal: AbortSignal): Promise<void>;
}

/**
 * Paces shared by all processes of an address through bookings in the store. A booking that a cancelled wait or a
 * returned grant leaves unused costs its time, never the limit.
 */
export function paceLimiter({ clock, store, venue, share }: PaceLimiterOptions): PaceLimiter {
  function* bookTime(limits: readonly RateLimit[], weight: number): Operation<number> {
    const nowMs = clock.nowMs();
    const booked = yield* bookingsOf(venue);
    const bookedOf = ({ name, windowMs }: RateLimit): Booked | null => booked.get(`${name}/${windowMs}`) ?? null;
    const atMs = limits.reduce((fromMs, limit) => earliestMs(bookedOf(limit), { limit, share, weight }, fromMs), nowMs);
    for (const limit of limits)
      yield* storeBookings(venue, limit, book(bookedOf(limit), { limit, share, weight }, { atMs, nowMs }));
    return atMs;
  }
  return {
    take: async (limits, weight, signal) => {
      signal.throwIfAborted();
      if (limits.length === 0) return;
      const atMs = await store.transact(bookTime, limits, weight);
      await clock.sleep(Math.max(0, atMs - clock.nowMs()), signal);
    },
  };
}

function* bookingsOf({ exchange, egress }: VenueKey): Operation<ReadonlyMap<string, Booked>> {
  const rows = yield* all<{ name: string; window_ms: number; booked: string }>(
    'select name, window_ms, booked from paces where exchange = $1 and egress = $2',
    exchange,
    egress,
  );
  return new Map(rows.map((row) => [`${row.name}/${row.window_ms}`, JSON.parse(row.booked) as Booked]));
}

function* storeBookings(
  { exchange, egress }: VenueKey,
  { name, windowMs }: RateLimit,
  booked: Booked,
): Operation<void> {
  yield* exec(
    `insert into paces (exchange, egress, name, window_ms, booked) values ($1, $2, $3, $4, $5)
     on conflict (exchange, egress, name, window_ms) do update set booked = excluded.booked`,
    exchange,
    egress,
    name,
    windowMs,
    JSON.stringify(booked),
  );
}
