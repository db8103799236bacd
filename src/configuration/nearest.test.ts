import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, nearest } from './nearest.ts';

test('a typing error finds its key, another word finds none', () => {
  const keys = ['symbols', 'exchanges', 'interval'];
  expect(nearest('symbls', keys)).toBe('symbols');
  expect(nearest('Intervall', keys)).toBe('interval');
  expect(nearest('password', keys)).toBeNull();
});

test('the distance is symmetric, zero only between equals, and obeys the triangle', () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
    }),
  );
});
