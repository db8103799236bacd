import { expect, test } from 'vitest';
import { FAULT_CODES, ruleOf } from '../../errors/table.ts';
import { forecastOf, type CauseView } from './recovery-forecast.ts';

const MINUTE_MS = 60_000;
const NOW_MS = 1_000_000_000;
const view = (over: Partial<CauseView>): CauseView => ({
  firedAtMs: null,
  nextAttemptAtMs: null,
  retry: 'never',
  nowMs: NOW_MS,
  ...over,
});

test('permanent faults and defects are final, whatever retry is planned', () => {
  const retry = { attempt: 1, attemptsMax: 3, atMs: NOW_MS };
  for (const code of FAULT_CODES)
    expect(forecastOf({ code }, view({ retry })).kind === 'final', code).toBe(
      ['permanent', 'defect'].includes(ruleOf(code).kind),
    );
});

test('a run with a planned retry is healing; once the retries are used up it is exhausted', () => {
  const code = 'EXCHANGE_SERVER_ERROR';
  expect(forecastOf({ code }, view({ retry: { attempt: 2, attemptsMax: 3, atMs: 7 }, nextAttemptAtMs: 9 }))).toEqual({
    kind: 'healing',
    attempt: 2,
    attemptsMax: 3,
    nextAtMs: 7,
  });
  expect(forecastOf({ code }, view({ retry: 'used-up', nextAttemptAtMs: 9 }))).toEqual({ kind: 'exhausted' });
});

test.each([
  [0, 5, 1],
  [5, 15, 2],
  [15, 60, 3],
  [60, 360, 4],
])(
  'cells that are missing for %d minutes with their next attempt at minute %d are at attempt %d of 4',
  (ageMinutes, atMinutes, attempt) => {
    // The alert fires at the end of the run, 40 s after its cells failed.
    const firedAtMs = NOW_MS - ageMinutes * MINUTE_MS + 40_000;
    const nextAtMs = NOW_MS + (atMinutes - ageMinutes) * MINUTE_MS;
    expect(
      forecastOf(
        { code: 'CONNECTION_FAILED' },
        view({ firedAtMs: ageMinutes === 0 ? null : firedAtMs, nextAttemptAtMs: nextAtMs }),
      ),
    ).toEqual({ kind: 'healing', attempt, attemptsMax: 4, nextAtMs });
  },
);

test('after the fourth attempt a cause is exhausted; a new cause still gets its first attempt', () => {
  const nextAttemptAtMs = NOW_MS + 1_000 * MINUTE_MS;
  expect(
    forecastOf({ code: 'CONNECTION_FAILED' }, view({ firedAtMs: NOW_MS - 360 * MINUTE_MS, nextAttemptAtMs })),
  ).toEqual({ kind: 'exhausted' });
  expect(forecastOf({ code: 'CONNECTION_FAILED' }, view({ nextAttemptAtMs }))).toEqual({
    kind: 'healing',
    attempt: 1,
    attemptsMax: 4,
    nextAtMs: nextAttemptAtMs,
  });
});

test('cells without a next attempt are exhausted', () => {
  expect(forecastOf({ code: 'CONNECTION_FAILED' }, view({}))).toEqual({ kind: 'exhausted' });
});
