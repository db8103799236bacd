import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { book, earliestMs, TRANSIT_MS, type Booked } from './pace.ts';
import type { RateLimit } from './rate-limit.ts';

const SLIDING: RateLimit = { name: 'public', limit: 40, windowMs: 2_000, shape: 'sliding', counts: 'weight' };
const BUCKET: RateLimit = { name: 'public', limit: 10, windowMs: 1_000, shape: 'bucket', counts: 'requests' };
const requests = fc.array(
  fc.record({ afterMs: fc.oneof(fc.constant(0), fc.nat(500)), weight: fc.integer({ min: 1, max: 4 }) }),
  { minLength: 20, maxLength: 80 },
);

/** When each of these consecutive requests may be sent. */
function booked(
  limit: RateLimit,
  share: number,
  requested: readonly { readonly afterMs: number; readonly weight: number }[],
): { atMs: number; weight: number; requestedAtMs: number }[] {
  let state: Booked | null = null;
  let nowMs = 1_000_000;
  return requested.map(({ afterMs, weight }) => {
    nowMs += afterMs;
    const atMs = earliestMs(state, { limit, share, weight }, nowMs);
    state = JSON.parse(JSON.stringify(book(state, { limit, share, weight }, { atMs, nowMs }))) as Booked;
    return { atMs, weight, requestedAtMs: nowMs };
  });
}

test('under a sliding limit no period as long as its window holds more than our share, and order is kept', () => {
  fc.assert(
    fc.property(requests, fc.integer({ min: 3, max: 10 }), (requested, tenths) => {
      const share = tenths / 10;
      const sent = booked(SLIDING, share, requested);
      for (const [at, { atMs, requestedAtMs }] of sent.entries()) {
        const used = sent
          .filter((one) => one.atMs > atMs - SLIDING.windowMs && one.atMs <= atMs)
          .reduce((sum, { weight }) => sum + weight, 0);
        expect(used).toBeLessThanOrEqual(SLIDING.limit * share);
        expect(atMs).toBeGreaterThanOrEqual(Math.max(requestedAtMs, sent[at - 1]?.atMs ?? 0));
      }
    }),
  );
});

test('demand above a sliding limit uses all of it: each full load takes one window and its transit', () => {
  const sent = booked(
    SLIDING,
    1,
    Array.from({ length: 100 }, () => ({ afterMs: 0, weight: 2 })),
  );
  expect((sent.at(-1)?.atMs ?? 0) - (sent[0]?.atMs ?? 0)).toBe(4 * (SLIDING.windowMs + TRANSIT_MS));
});

test('a bucket is never overdrawn, and higher demand gets exactly its rate', () => {
  fc.assert(
    fc.property(requests, fc.integer({ min: 3, max: 10 }), (requested, tenths) => {
      const share = tenths / 10;
      const sent = booked(BUCKET, share, requested).toSorted((a, b) => a.atMs - b.atMs);
      for (const [from, first] of sent.entries()) {
        for (const [to, last] of sent.entries()) {
          if (to >= from)
            expect(to - from + 1).toBeLessThanOrEqual(
              BUCKET.limit * share * (1 + (last.atMs - first.atMs) / BUCKET.windowMs) + 1e-6,
            );
        }
      }
    }),
  );
  const burst = booked(
    BUCKET,
    1,
    Array.from({ length: 109 }, () => ({ afterMs: 0, weight: 1 })),
  );
  expect((burst.at(-1)?.atMs ?? 0) - (burst[0]?.atMs ?? 0)).toBeCloseTo(10_000);
});

test('a request heavier than our whole share is granted once nothing else is booked', () => {
  expect(
    booked({ ...SLIDING, limit: 3 }, 1, [
      { afterMs: 0, weight: 4 },
      { afterMs: 0, weight: 4 },
    ]).map(({ atMs }) => atMs),
  ).toEqual([1_000_000, 1_000_000 + SLIDING.windowMs + TRANSIT_MS]);
});

test('bookings from before the clock was set back by an hour delay no request', () => {
  const ahead: Booked[] = [
    { shape: 'sliding', spent: [[4_600_000, 40]] },
    { shape: 'bucket', fullAtMs: 4_600_000 },
  ];
  for (const [at, limit] of [SLIDING, BUCKET].entries()) {
    expect(earliestMs(ahead[at] ?? null, { limit, share: 1, weight: 2 }, 1_000_000)).toBe(1_000_000);
    const next = book(ahead[at] ?? null, { limit, share: 1, weight: 2 }, { atMs: 1_000_000, nowMs: 1_000_000 });
    expect(earliestMs(next, { limit, share: 1, weight: 2 }, 1_000_000)).toBeLessThan(1_010_000);
  }
});

const NOW_MS = 1_000_000;
const sliding = (...spent: readonly (readonly [afterMs: number, cost: number])[]): Booked => ({
  shape: 'sliding',
  spent: spent.map(([afterMs, cost]) => [NOW_MS + afterMs, cost] as const),
});

test('a sliding limit waits until enough weight has left its window, and no longer', () => {
  const state = sliding([0, 10], [500, 20], [700, 10]);
  const afterMs = (weight: number) => earliestMs(state, { limit: SLIDING, share: 1, weight }, NOW_MS) - NOW_MS;
  const [first, second] = [SLIDING.windowMs + TRANSIT_MS, 500 + SLIDING.windowMs + TRANSIT_MS];
  expect([10, 11, 30].map(afterMs)).toEqual([first, second, second]);
});

test('a request that would fit earlier does not overtake the last booking', () => {
  const state = sliding([0, 1], [100, 1], [300, 1]);
  expect(earliestMs(state, { limit: SLIDING, share: 1, weight: 1 }, NOW_MS)).toBe(NOW_MS + 300);
});

test('bookings within the window are kept; older ones and ones too far ahead are dropped', () => {
  const oldest = -(SLIDING.windowMs + TRANSIT_MS);
  const state = sliding([oldest, 1], [oldest + 1, 2], [600_000, 3], [600_001, 4]);
  const next = book(state, { limit: SLIDING, share: 1, weight: 5 }, { atMs: NOW_MS, nowMs: NOW_MS });
  expect(next).toEqual(sliding([oldest + 1, 2], [600_000, 3], [0, 5]));
});

test('a booking up to ten minutes ahead counts, one further ahead does not', () => {
  const counts = (aheadMs: number) => {
    const full: Booked = { shape: 'bucket', fullAtMs: NOW_MS + aheadMs };
    const bucket = { limit: BUCKET, share: 1, weight: 1 };
    return [
      earliestMs(sliding([aheadMs, 40]), { limit: SLIDING, share: 1, weight: 1 }, NOW_MS) > NOW_MS,
      earliestMs(full, bucket, NOW_MS) > NOW_MS,
      book(full, bucket, { atMs: NOW_MS, nowMs: NOW_MS }),
    ];
  };
  expect(counts(600_000)).toEqual([true, true, { shape: 'bucket', fullAtMs: NOW_MS + 600_100 }]);
  expect(counts(600_001)).toEqual([false, false, { shape: 'bucket', fullAtMs: NOW_MS + 100 }]);
});
