import { expect, test } from 'vitest';
import { seededRandom } from '../../../platform/seeded-random.ts';
import { seriesRecord } from '../../../../tests/support/series-record.ts';
import { spacedHoles } from './spacing.ts';

const M = 60_000;
const MINUTES = 7_200;

/** Five days of minutes without those for which `isMissing` holds. */
function spacedIn(isMissing: (minute: number) => boolean) {
  const rows = Array.from({ length: MINUTES }, (_, minute) => minute)
    .filter((minute) => !isMissing(minute))
    .map((minute) => ({ openTimeMs: minute * M, high: 2, low: 1, volume: 1, closeTimeMs: null }));
  const responses = [{ fromMs: 0, toMs: MINUTES * M, atMs: 0, firstOpenMs: 0, lastOpenMs: 0 }];
  return spacedHoles(seriesRecord({ symbol: 'BTC/USD', rows, stepMs: M, responses }), {
    classified: { fromMs: 0, toMs: MINUTES * M },
    stepMs: M,
    rowsPerPageMax: 300,
  });
}
const periods = (found: ReturnType<typeof spacedIn>): Set<number> =>
  new Set(found.map(({ periodCandles }) => periodCandles));

test('a minute lost at each page border is found as equally spaced holes', () => {
  const found = spacedIn((minute) => minute % 301 === 139);
  expect(periods(found)).toContain(301);
  expect(new Set(found.map(({ fromMs }) => (fromMs / M) % 301))).toEqual(new Set([139]));
});

test('equally spaced holes are found among the pauses of a market', () => {
  const random = seededRandom('pauses');
  const pauses = new Set(Array.from({ length: 72 }, () => Math.floor(random.next() * MINUTES)));
  const found = spacedIn((minute) => minute % 301 === 139 || pauses.has(minute));
  expect(found.filter(({ fromMs }) => (fromMs / M) % 301 === 139).length).toBeGreaterThanOrEqual(20);
});

test('three equally spaced holes are not enough', () => {
  expect(spacedIn((minute) => [1_000, 1_301, 1_602].includes(minute))).toEqual([]);
});

test.each([0.01, 0.05, 0.2, 0.5])(
  'chance alone produces no equally spaced holes with %d of the minutes missing',
  (share) => {
    for (const seed of ['a', 'b', 'c', 'd']) {
      const random = seededRandom(`thin ${seed}`);
      expect(
        spacedIn(() => random.next() < share),
        `seed thin ${seed}`,
      ).toEqual([]);
    }
  },
);

test('a market that trades by the clock has none: it misses neighbouring minutes as well', () => {
  expect(spacedIn((minute) => minute % 5 !== 0 && minute % 5 !== 1)).toEqual([]);
});

test('a market that pauses every night has none', () => {
  const random = seededRandom('nights');
  const asleep = (minute: number): number => (minute % 1_440 < 60 ? 0.6 : 0.0005);
  expect(spacedIn((minute) => random.next() < asleep(minute))).toEqual([]);
});

test('four busy times that happen to be equally spaced are none', () => {
  const restless = [1_000, 1_301, 1_602, 1_903].flatMap((minute, at) => [
    minute,
    minute - 9 + at,
    minute - 3 - at,
    minute + 2 + at,
    minute + 7 - at,
  ]);
  expect(spacedIn((minute) => restless.includes(minute))).toEqual([]);
  expect(spacedIn((minute) => restless.includes(minute) && minute % 301 === 1_000 % 301)).not.toEqual([]);
});

test('an outage is not a sequence of equally spaced holes', () => {
  expect(spacedIn((minute) => minute >= 3_000 && minute < 3_277)).toEqual([]);
});
