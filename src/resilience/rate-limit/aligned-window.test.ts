import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideWindow, endedWithin, observeWindow, type WindowState } from './aligned-window.ts';

const WINDOW_MS = 60_000;
const LIMIT = 6_000;
const STATE: WindowState = {
  index: 100,
  spent: 0,
  inFlight: 0,
  others: 0,
  observedFromMs: 0,
  observedAtMs: 0,
  othersStepMax: 0,
  othersForecast: 0,
  known: 'all',
  probeUntilMs: 0,
};
const decide = (state: WindowState | null, cost: number, { index = 100, intoMs = 10_000, share = 1 } = {}) =>
  decideWindow(state, {
    time: { index, windowMs: WINDOW_MS, intoMs },
    cost,
    limit: LIMIT,
    share,
    nowMs: 1_000,
    probeMsMax: 20_000,
  });
const observe = (state: WindowState, used: number, { estimate = 0, intoMs = 10_000 } = {}): WindowState =>
  observeWindow(state, { used, estimate }, { index: 100, windowMs: WINDOW_MS, intoMs });

test('without other clients a window grants exactly our share', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 10 }),
      (costs, tenths) => {
        const room = Math.floor(LIMIT * (tenths / 10));
        let state = STATE;
        for (const cost of costs) {
          const response = decide(state, cost, { share: tenths / 10 });
          expect(response.granted).toBe(state.spent === 0 || state.spent + cost <= room);
          if (response.granted) state = observe(response.state, response.state.spent);
        }
        expect(state.others).toBe(0);
      },
    ),
  );
});

test('an estimate alone proves no other client; use above our grants does, and the larger of both counts', () => {
  const spent = { ...STATE, spent: 500 };
  expect(observe(spent, 480, { estimate: 90 })).toBe(spent);
  expect(observe(spent, 520, { estimate: 90 })).toMatchObject({ others: 90, othersStepMax: 90, observedAtMs: 10_000 });
  expect(observe(spent, 620, { estimate: 90 })).toMatchObject({ others: 120 });
});

test('past, forecast and one step of others are reserved; one request at a time probes for them', () => {
  const shared = observe({ ...STATE, spent: 500 }, 700); // 200 in 10 s: 1,000 more until the end
  const room = LIMIT * 0.97 - 200 - 1_000;
  expect(decide(shared, room - 500).granted).toBe(true);
  const probe = decide({ ...shared, spent: room }, 2);
  if (!probe.granted) throw new Error('no probe granted');
  expect(decide(probe.state, 2)).toEqual({ granted: false, until: 'others' });
  expect(decide({ ...shared, spent: LIMIT * 0.97 - 200 }, 2)).toEqual({ granted: false, until: 'next-window' });
});

test('the next window keeps the forecast of others; after windows without a response one request goes first', () => {
  const shared = observe({ ...STATE, spent: 500 }, 700);
  expect(decide(shared, 2, { index: 101 })).toMatchObject({
    granted: true,
    state: { index: 101, spent: 2, others: 0, othersForecast: 1_200, known: 'all' },
  });
  const later = decide(shared, 2, { index: 103 });
  expect(later).toMatchObject({ granted: true, state: { othersForecast: 300, known: 'ours', probeUntilMs: 21_000 } });
  if (later.granted) expect(decide(later.state, 2, { index: 103 })).toEqual({ granted: false, until: 'response' });
});

test('use found by a fresh store counts as our own from before a restart, not as use of others', () => {
  const first = decide(null, 2);
  if (!first.granted) throw new Error('nothing granted');
  expect(observe(first.state, 4_000)).toMatchObject({ spent: 4_000, others: 0, known: 'all', observedFromMs: 10_000 });
});

test('a window slightly ahead is waited for; a window further ahead came from a wrong clock and is dropped', () => {
  const ahead = { ...STATE, index: 101, spent: 50 };
  expect(decide(ahead, 2, { intoMs: WINDOW_MS - 500 })).toEqual({ granted: false, until: 'next-window' });
  expect(decide(ahead, 2, { intoMs: 10_000 })).toMatchObject({
    granted: true,
    state: { index: 100, spent: 2, known: 'nothing' },
  });
  expect(decide({ ...ahead, index: 5_000 }, 2)).toMatchObject({ granted: true, state: { index: 100 } });
});

test('requests in flight across the boundary are charged to both windows, and to no third', () => {
  const before = { ...STATE, spent: 500, inFlight: 30 };
  const next = decide(endedWithin(before, 10), 2, { index: 101 });
  expect(next).toMatchObject({ granted: true, state: { index: 101, spent: 22, inFlight: 2 } });
  if (next.granted)
    expect(decide(endedWithin(next.state, 2), 2, { index: 102 })).toMatchObject({
      granted: true,
      state: { spent: 2, inFlight: 2 },
    });
});
