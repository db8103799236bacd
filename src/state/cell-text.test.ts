import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { countCell } from '../domain/account.ts';
import { isWaitedFor, type GapReason } from '../domain/gap.ts';
import { gapsFromText, gapsToText, pendingPattern } from './cell-text.ts';

const DAY = '2024-06-01';
const DUE = { fromMs: Date.UTC(2024, 5, 1), toMs: Date.UTC(2024, 5, 2) };
const REASONS: readonly (GapReason | null)[] = [
  null,
  { state: 'no_trades', code: 'ROWS_MISSING', cause: 'thin_market' },
  { state: 'pending', code: 'ROWS_MISSING', cause: 'second_look' },
  { state: 'pending', code: 'EXCHANGE_SERVER_ERROR', cause: null },
  { state: 'quarantined', code: 'ROWS_INVALID', cause: null },
  { state: 'outage', code: null, cause: 'halt' },
];

/** A day of minutes, each present or missing for any reason. */
const anyGaps = fc.array(fc.constantFrom(...REASONS), { minLength: 1_440, maxLength: 1_440 }).map((minutes) => {
  const at = (openTimeMs: number) => minutes[(openTimeMs - DUE.fromMs) / 60_000] ?? null;
  return countCell({
    due: DUE,
    interval: '1m',
    present: { has: (openTimeMs) => at(openTimeMs) === null },
    reasonOf: (openTimeMs) => at(openTimeMs) as GapReason,
  }).gaps;
});

test('the gaps of a day are read back unchanged for any order of reasons, all of them or the open ones only', () => {
  fc.assert(
    fc.property(anyGaps, (gaps) => {
      const text = gapsToText(DAY, gaps);
      expect(gapsFromText(DAY, text)).toEqual(gaps);
      expect(gapsFromText(DAY, text, 'open')).toEqual(gaps.filter(isWaitedFor));
    }),
    { numRuns: 20 },
  );
});

test('the pattern finds exactly the texts with candles pending under the code', () => {
  const text = gapsToText(DAY, [
    { ...DUE, ...(REASONS[3] as GapReason) },
    { fromMs: DUE.toMs, toMs: DUE.toMs + 60_000, ...(REASONS[4] as GapReason) },
  ]);
  const isFound = (code: string): boolean =>
    new RegExp(pendingPattern(code).slice(1, -1).replaceAll('[', String.raw`\[`)).test(text);
  expect(['EXCHANGE_SERVER_ERROR', 'ROWS_INVALID', 'ROWS_MISSING'].filter(isFound)).toEqual(['EXCHANGE_SERVER_ERROR']);
});
