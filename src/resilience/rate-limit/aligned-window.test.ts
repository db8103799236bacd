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
const ask = (state: WindowState | null, cost: number, { index = 100, intoMs = 10_000, share = 1 } = {}) =>
  decideWindow(state, {
    time: { index, windowMs: WINDOW_MS, intoMs },
    cost,
    limit: LIMIT,
    share,
    nowMs: 1_000,
    probeMsMax: 20_000,
  });
const tell = (state: WindowState, used: number, { estimate = 0, intoMs = 10_000 } = {}): WindowState =>
  observeWindow(state, { used, estimate }, { index: 100, windowMs: WINDOW_MS, intoMs });

test('alone, a window gives exactly our share and not a unit more', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 10 }),
      (costs, tenths) => {
        const room = Math.floor(LIMIT * (tenths / 10));
        let state = STATE;
        for (const cost of costs) {
          const response = ask(state, cost, { share: tenths / 10 });
          expect(response.granted).toBe(state.spent === 0 || state.spent + cost <= room);
          if (response.granted) state = tell(response.state, response.state.spent);
        }
        expect(state.others).toBe(0);
      },
    ),
  );
});

test('an estimate alone proves nobody: only more used than all we ever granted does, and then the larger of both counts', () => {
  const spent = { ...STATE, spent: 500 };
  expect(tell(spent, 480, { estimate: 90 })).toBe(spent);
  expect(tell(spent, 520, { estimate: 90 })).toMatchObject({ others: 90, othersStepMax: 90, observedAtMs: 10_000 });
  expect(tell(spent, 620, { estimate: 90 })).toMatchObject({ others: 120 });
});

test('what others have used, will use and may use in one leap is left to them; one request at a time looks whether they still want it', () => {
  const shared = tell({ ...STATE, spent: 500 }, 700); // 200 in 10 s: 1,000 more until the end
  const room = LIMIT * 0.97 - 200 - 1_000;
  expect(ask(shared, room - 500).granted).toBe(true);
  const scout = ask({ ...shared, spent: room }, 2);
  if (!scout.granted) throw new Error('no scout');
  expect(ask(scout.state, 2)).toEqual({ granted: false, until: 'others' });
  expect(ask({ ...shared, spent: LIMIT * 0.97 - 200 }, 2)).toEqual({ granted: false, until: 'next-window' });
});

test('in the next window others are expected as before, and after windows without a word one request goes ahead', () => {
  const shared = tell({ ...STATE, spent: 500 }, 700);
  expect(ask(shared, 2, { index: 101 })).toMatchObject({
    granted: true,
    state: { index: 101, spent: 2, others: 0, othersForecast: 1_200, known: 'all' },
  });
  const later = ask(shared, 2, { index: 103 });
  expect(later).toMatchObject({ granted: true, state: { othersForecast: 300, known: 'ours', probeUntilMs: 21_000 } });
  if (later.granted) expect(ask(later.state, 2, { index: 103 })).toEqual({ granted: false, until: 'response' });
});

test('what a fresh store finds used is taken for ours from before, not for others', () => {
  const first = ask(null, 2);
  if (!first.granted) throw new Error('nothing granted');
  expect(tell(first.state, 4_000)).toMatchObject({ spent: 4_000, others: 0, known: 'all', observedFromMs: 10_000 });
});

test('a process that is a moment ahead is waited for; a window from farther ahead was counted by a wrong clock', () => {
  const ahead = { ...STATE, index: 101, spent: 50 };
  expect(ask(ahead, 2, { intoMs: WINDOW_MS - 500 })).toEqual({ granted: false, until: 'next-window' });
  expect(ask(ahead, 2, { intoMs: 10_000 })).toMatchObject({
    granted: true,
    state: { index: 100, spent: 2, known: 'nothing' },
  });
  expect(ask({ ...ahead, index: 5_000 }, 2)).toMatchObject({ granted: true, state: { index: 100 } });
});

test('what was under way over the border is charged to both windows, and to no third', () => {
  const before = { ...STATE, spent: 500, inFlight: 30 };
  const next = ask(endedWithin(before, 10), 2, { index: 101 });
  expect(next).toMatchObject({ granted: true, state: { index: 101, spent: 22, inFlight: 2 } });
  if (next.granted)
    expect(ask(endedWithin(next.state, 2), 2, { index: 102 })).toMatchObject({
      granted: true,
      state: { spent: 2, inFlight: 2 },
    });
});
