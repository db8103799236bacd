import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeRanges } from '../domain/range.ts';
import { rangesOfRuns, runLengthsOf } from './run-lengths.ts';

const ORIGIN_MS = Date.UTC(2024, 5, 1);
const anyRanges = fc
  .array(fc.tuple(fc.nat(86_400_000), fc.integer({ min: 1, max: 200_000_000 })))
  .map((pairs) =>
    mergeRanges(
      pairs.map(([fromMs, lengthMs]) => ({ fromMs: ORIGIN_MS + fromMs, toMs: ORIGIN_MS + fromMs + lengthMs })),
    ),
  );

test('ranges are read back unchanged, on the grid of minutes or off it', () => {
  fc.assert(
    fc.property(anyRanges, (ranges) => {
      expect(rangesOfRuns(JSON.parse(JSON.stringify(runLengthsOf(ranges, ORIGIN_MS))) as number[], ORIGIN_MS)).toEqual(
        ranges,
      );
    }),
  );
});

test('a range of minutes takes two short numbers', () => {
  expect(
    runLengthsOf(
      [
        { fromMs: ORIGIN_MS + 300_000, toMs: ORIGIN_MS + 360_000 },
        { fromMs: ORIGIN_MS + 540_000, toMs: ORIGIN_MS + 660_000 },
      ],
      ORIGIN_MS,
    ),
  ).toEqual([5, 1, 3, 2]);
});
