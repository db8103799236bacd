import { expect, test } from 'vitest';
import { isSeenTwice, looksAt, withNeighbours } from './attempts.ts';
import type { Answer } from './series-record.ts';

const M = 60_000;
const answer = (fromMs: number, toMs: number, rows: readonly [number, number] | null, atMs = 0): Answer => ({
  fromMs: fromMs * M,
  toMs: toMs * M,
  firstOpenMs: rows === null ? null : rows[0] * M,
  lastOpenMs: rows === null ? null : rows[1] * M,
  atMs,
});
const HOLE = { fromMs: 10 * M, toMs: 12 * M };

test.each([
  ['an answer with rows on both sides', [answer(0, 20, [0, 19])], { answers: 1, between: 1 }],
  ['an answer that ends at the hole', [answer(0, 12, [0, 9])], { answers: 1, between: 0 }],
  ['an answer that begins at the hole', [answer(10, 20, [12, 19])], { answers: 1, between: 0 }],
  ['an empty answer', [answer(10, 12, null)], { answers: 1, between: 0 }],
  ['an answer about something else', [answer(12, 20, [12, 19])], { answers: 0, between: 0 }],
  [
    'two pages that meet inside the hole',
    [answer(0, 11, [0, 9]), answer(11, 20, [12, 19])],
    { answers: 1, between: 0 },
  ],
  ['a second look at only a part of it', [answer(0, 20, [0, 19]), answer(10, 11, null)], { answers: 1, between: 1 }],
])('%s', (_, answers, looks) => expect(looksAt(HOLE, answers)).toMatchObject(looks));

test('two looks count when they lie far enough apart for every candle', () => {
  const first = answer(0, 20, [0, 19], 0);
  const seen = (second: Answer): boolean => isSeenTwice(looksAt(HOLE, [first, second]), 60 * M);
  expect(seen(answer(9, 13, [9, 12], 60 * M))).toBe(true);
  expect(seen(answer(9, 13, [9, 12], 59 * M))).toBe(false);
  expect(seen(answer(11, 13, [12, 12], 60 * M))).toBe(false);
});

test('asked with its neighbours, a hole is answered between rows', () => {
  const { fromMs, toMs } = withNeighbours(HOLE, M);
  expect(looksAt(HOLE, [answer(fromMs / M, toMs / M, [9, 12])])).toMatchObject({ between: 1 });
});
