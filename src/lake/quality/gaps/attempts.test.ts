import { expect, test } from 'vitest';
import { isSeenTwice, attemptsAt, withNeighbours } from './attempts.ts';
import type { ObservedResponse } from './series-record.ts';

const M = 60_000;
const response = (
  fromMs: number,
  toMs: number,
  rows: readonly [number, number] | null,
  atMs = 0,
): ObservedResponse => ({
  fromMs: fromMs * M,
  toMs: toMs * M,
  firstOpenMs: rows === null ? null : rows[0] * M,
  lastOpenMs: rows === null ? null : rows[1] * M,
  atMs,
});
const HOLE = { fromMs: 10 * M, toMs: 12 * M };

test.each([
  ['a response with rows on both sides', [response(0, 20, [0, 19])], { answers: 1, between: 1 }],
  ['a response that ends at the hole', [response(0, 12, [0, 9])], { answers: 1, between: 0 }],
  ['a response that begins at the hole', [response(10, 20, [12, 19])], { answers: 1, between: 0 }],
  ['an empty response', [response(10, 12, null)], { answers: 1, between: 0 }],
  ['a response about another range', [response(12, 20, [12, 19])], { answers: 0, between: 0 }],
  [
    'two pages that meet inside the hole',
    [response(0, 11, [0, 9]), response(11, 20, [12, 19])],
    { answers: 1, between: 0 },
  ],
  [
    'a second attempt for only a part of it',
    [response(0, 20, [0, 19]), response(10, 11, null)],
    { answers: 1, between: 1 },
  ],
])('%s', (_, responses, attempts) => expect(attemptsAt(HOLE, responses)).toMatchObject(attempts));

test('two attempts count if they are far enough apart for every candle', () => {
  const first = response(0, 20, [0, 19], 0);
  const seen = (second: ObservedResponse): boolean => isSeenTwice(attemptsAt(HOLE, [first, second]), 60 * M);
  expect(seen(response(9, 13, [9, 12], 60 * M))).toBe(true);
  expect(seen(response(9, 13, [9, 12], 59 * M))).toBe(false);
  expect(seen(response(11, 13, [12, 12], 60 * M))).toBe(false);
});

test('a hole requested with its neighbours gets a response with rows on both sides', () => {
  const { fromMs, toMs } = withNeighbours(HOLE, M);
  expect(attemptsAt(HOLE, [response(fromMs / M, toMs / M, [9, 12])])).toMatchObject({ between: 1 });
});
