import { expect, test } from 'vitest';
import { lowerBoundMs } from './lower-bound.ts';

const minute = {
  requests: 5_260,
  weight: 2,
  limit: { weight: 6_000, windowMs: 60_000 },
  share: 1,
  startMs: 30_000,
  rttMs: 0,
  concurrency: 16,
};

test('requests that fit into the rest of the first window take no time', () => {
  expect(lowerBoundMs({ ...minute, requests: 3_000 })).toBe(0);
});

test('a second window begins at the next border, each further one a whole window later', () => {
  expect(lowerBoundMs(minute)).toBe(30_000);
  expect(lowerBoundMs({ ...minute, requests: 6_001 })).toBe(90_000);
  expect(lowerBoundMs({ ...minute, startMs: 3_000 })).toBe(57_000);
});

test('half the share needs twice the windows', () => {
  expect(lowerBoundMs({ ...minute, share: 0.5 })).toBe(30_000 + 2 * 60_000);
});

test('round trips that take longer than the windows are the lower bound', () => {
  expect(lowerBoundMs({ ...minute, requests: 3_000, rttMs: 40 })).toBe((3_000 * 40) / 16);
});
