import assert from 'node:assert/strict';
import { test } from 'node:test';
import { floorMs } from './floor.ts';

const minute = { requests: 5_260, weight: 2, limit: { weight: 6_000, windowMs: 60_000 }, share: 1, startMs: 30_000, rttMs: 0, atOnce: 16 };

test('what fits into the rest of the first window takes no time', () => {
  assert.equal(floorMs({ ...minute, requests: 3_000 }), 0);
});

test('more than one window waits for the next border, more than two for a whole window more', () => {
  assert.equal(floorMs(minute), 30_000);
  assert.equal(floorMs({ ...minute, requests: 6_001 }), 90_000);
  assert.equal(floorMs({ ...minute, startMs: 3_000 }), 57_000);
});

test('half the share needs twice the windows', () => {
  assert.equal(floorMs({ ...minute, share: 0.5 }), 30_000 + 2 * 60_000);
});

test('round trips are a floor of their own', () => {
  assert.equal(floorMs({ ...minute, requests: 3_000, rttMs: 40 }), (3_000 * 40) / 16);
});
