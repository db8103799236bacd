import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOf, latestDigestMs } from './digest.ts';
import { cut, durationText } from './notification.ts';

test('a text is cut to its limit, never inside a character, and ends with an ellipsis', () => {
  expect(cut('short', 5)).toBe('short');
  expect(cut('longer', 5)).toBe('long…');
  expect(cut('abc😀def', 5)).toBe('abc…');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.integer({ min: 1, max: 50 }), (text, charsMax) => {
      expect(cut(text, charsMax).length).toBeLessThanOrEqual(charsMax);
      expect(cut(text, charsMax).isWellFormed()).toBe(true);
    }),
  );
});

test.each([
  [0, '0 s'],
  [42_000, '42 s'],
  [119_000, '2 min'],
  [840_000, '14 min'],
  [7_140_000, '119 min'],
  [11_100_000, '3 h 5 min'],
])('%i ms are %s', (spanMs, text) => {
  expect(durationText(spanMs)).toBe(text);
});

test('the digest is due at nine', () => {
  const nineMs = Date.UTC(2024, 6, 2, 9);
  expect(latestDigestMs(nineMs)).toBe(nineMs);
  expect(latestDigestMs(nineMs - 1)).toBe(nineMs - 86_400_000);
  expect(latestDigestMs(nineMs + 50_000_000)).toBe(nineMs);
});

test('a digest says how many causes still fire, and its length is bounded', () => {
  const entries = Array.from({ length: 50 }, (_, at) => ({
    fingerprint: `binance/CODE${at}/x`,
    began: at === 0 ? 3 : 1,
    isFiring: at === 1,
  }));
  const notification = digestOf(
    entries,
    { fingerprint: 'digest/2024-07-02', endMs: Date.UTC(2024, 6, 2, 9) },
    { instance: 'test', runbookUrl: null },
  );
  expect(notification.title).toBe('[INFO] The day until 2024-07-02T09:00Z: 52 alerts, 1 of 50 causes still firing');
  expect(notification.lines.slice(0, 2)).toEqual(['binance/CODE0/x: 3 times, over', 'binance/CODE1/x: 1 time, firing']);
  expect(notification.lines).toHaveLength(41);
  expect(notification.lines.at(-1)).toBe('and 10 more');
});
