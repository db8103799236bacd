import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { timeOrderedIds } from './time-ordered-ids.ts';
import type { Random } from './ports/random.ts';
import { freshRandom } from './node/fresh-random.ts';
import { randomInt, seededRandom } from './seeded-random.ts';
import { VirtualClock } from '../../tests/support/virtual/virtual-clock.ts';

const draws = (random: Random, total = 20): number[] => Array.from({ length: total }, () => random.next());

test('a seed reproduces its stream, another seed gives another', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (seed, other) => {
      fc.pre(seed !== other);
      expect(draws(seededRandom(seed))).toEqual(draws(seededRandom(seed)));
      expect(draws(seededRandom(seed))).not.toEqual(draws(seededRandom(other)));
    }),
  );
});

test('the stream of a seed never changes: stored seeds must reproduce old runs', () => {
  expect(draws(seededRandom('candlekeep'), 3)).toEqual([0.06565033039078116, 0.8999606329016387, 0.2162692341953516]);
});

test('a fork depends on seed and name only, not on earlier draws', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.nat(50), fc.nat(50), (seed, name, drawsBefore, siblings) => {
      const parent = seededRandom(seed);
      draws(parent, drawsBefore);
      for (let n = 0; n < siblings; n++) draws(parent.fork(`sibling ${n}`), 3);
      expect(draws(parent.fork(name))).toEqual(draws(seededRandom(seed).fork(name)));
    }),
  );
});

test('drawing from a fork does not shift its parent, and forks of different names differ', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (seed, name, other) => {
      fc.pre(name !== other);
      const parent = seededRandom(seed);
      draws(parent.fork(name));
      expect(draws(parent)).toEqual(draws(seededRandom(seed)));
      expect(draws(parent.fork(name))).not.toEqual(draws(parent.fork(other)));
    }),
  );
});

test('numbers are uniform in [0, 1), and forks are independent', () => {
  const random = seededRandom('evenly');
  const a = draws(random.fork('a'), 20_000);
  const b = draws(random.fork('b'), 20_000);
  expect(a.every((value) => value >= 0 && value < 1)).toBe(true);
  const tenths = Array.from({ length: 10 }, (_, at) => a.filter((value) => Math.floor(value * 10) === at).length);
  for (const total of tenths) expect(Math.abs(total - 2_000)).toBeLessThan(250);
  const together = a.filter((value, at) => value < 0.5 === (b[at] ?? 0) < 0.5).length;
  expect(Math.abs(together - 10_000)).toBeLessThan(500);
});

test('a fresh stream differs each time', () => {
  expect(freshRandom().seed).not.toBe(freshRandom().seed);
});

test('an integer lies below its bound and takes every value', () => {
  const random = seededRandom('whole');
  expect(new Set(Array.from({ length: 500 }, () => randomInt(random, 6)))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
});

test('ids sort by creation time and are unique', async () => {
  const random = seededRandom('ids');
  const clock = new VirtualClock({ random, startMs: Date.UTC(2001, 0, 1) });
  const ids = timeOrderedIds(clock, random);
  const made: string[] = [];
  for (const yearsMs of [0, 1, 1_000, 86_400_000, 30 * 365 * 86_400_000]) {
    await clock.runUntil(clock.sleep(yearsMs));
    made.push(ids.next('run'));
  }
  expect(made).toEqual(made.toSorted((a, b) => (a < b ? -1 : 1)));
  expect(made.every((id) => /^run_[0-9a-z]{14}$/.test(id))).toBe(true);
  expect(new Set(Array.from({ length: 1_000 }, () => ids.next('run'))).size).toBe(1_000);
});
