import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { dayRange } from '../../domain/partition.ts';
import { gridOf } from '../../domain/range.ts';
import { balances } from '../../../tests/support/balances.ts';
import { accountCell, type CellFindings } from './cell-account.ts';

const DAY = '2024-06-01';
const HOUR_MS = 3_600_000;
const WHOLE = dayRange(DAY);
const HOURS = gridOf(WHOLE, '1h');
const NOW_MS = WHOLE.toMs + HOUR_MS;
const MINUTE_MS = 60_000;

const findings = (over: Partial<CellFindings>): CellFindings => ({
  cell: { exchange: 'binance', symbol: 'BTC/USDT', interval: '1h', day: DAY },
  firstCandleMs: null,
  present: new Set(HOURS),
  quarantined: new Set(),
  dropped: new Set(),
  planned: { flat: [], cut: [] },
  covered: [WHOLE],
  failed: [],
  before: null,
  isRequested: true,
  nowMs: NOW_MS,
  recheckAfterMs: 6 * HOUR_MS,
  ...over,
});
const without = (...hours: readonly number[]): ReadonlySet<number> =>
  new Set(HOURS.filter((_, at) => !hours.includes(at)));
const failedWith = (notBeforeMs: number | null): CellFindings['failed'] => [
  { range: WHOLE, code: 'EXCHANGE_SERVER_ERROR', notBeforeMs },
];

test('a complete day has no gap and no next attempt', () => {
  expect(accountCell(findings({}))).toMatchObject({
    account: { expected: 24, present: 24, pending: 0 },
    gaps: [],
    attempts: 0,
    nextAttemptAtMs: null,
    notBeforeMs: null,
  });
});

test('the five states always add up to expected, and pending candles have a next attempt', () => {
  const hours = fc.subarray(HOURS);
  fc.assert(
    fc.property(
      hours,
      hours,
      fc.boolean(),
      fc.option(fc.nat(30)),
      fc.boolean(),
      (present, quarantined, isFailed, firstHour, isRequested) => {
        const cell = accountCell(
          findings({
            present: new Set(present),
            quarantined: new Set(quarantined.filter((at) => !present.includes(at))),
            covered: isFailed ? [] : [WHOLE],
            failed: isFailed ? failedWith(null) : [],
            isRequested,
            firstCandleMs: firstHour === null ? null : WHOLE.fromMs + firstHour * HOUR_MS,
          }),
        );
        expect(balances(cell.account)).toBe(true);
        if (cell.account.pending > 0) expect(cell.nextAttemptAtMs).toBeGreaterThan(NOW_MS);
      },
    ),
  );
});

test('a hole in a response is requested again after the recheck wait, then after a day', () => {
  const first = accountCell(findings({ present: without(3, 4) }));
  expect(first).toMatchObject({
    account: { pending: 2 },
    gaps: [{ state: 'pending', code: 'ROWS_MISSING' }],
    attempts: 1,
    nextAttemptAtMs: NOW_MS + 6 * HOUR_MS,
  });
  expect(accountCell(findings({ present: without(3, 4), before: first, nowMs: NOW_MS + 6 * HOUR_MS }))).toMatchObject({
    attempts: 2,
    nextAttemptAtMs: NOW_MS + 24 * HOUR_MS,
  });
});

test('after a fault attempts follow 5 minutes, 15 minutes, 1 hour and 6 hours after the first, then daily', () => {
  let before: CellFindings['before'] = null;
  const attempts: number[] = [];
  for (let attempt = 0, nowMs = NOW_MS; attempt < 6; attempt++) {
    before = accountCell(findings({ present: new Set(), covered: [], failed: failedWith(null), before, nowMs }));
    nowMs = before.nextAttemptAtMs ?? 0;
    attempts.push((nowMs - NOW_MS) / MINUTE_MS);
  }
  expect(attempts).toEqual([5, 15, 60, 360, 1_440, 2_880]);
});

test('a wait that the venue set is kept to the millisecond', () => {
  const untilMs = NOW_MS + 86_400_000;
  expect(accountCell(findings({ present: new Set(), covered: [], failed: failedWith(untilMs) }))).toMatchObject({
    notBeforeMs: untilMs,
    nextAttemptAtMs: untilMs,
  });
});

test('a cell that was not requested keeps its next attempt', () => {
  const before = accountCell(findings({ present: without(3) }));
  expect(
    accountCell(findings({ present: without(3), before, isRequested: false, nowMs: NOW_MS + HOUR_MS })).nextAttemptAtMs,
  ).toBe(before.nextAttemptAtMs);
});

test('hours before the first candle ever are not due', () => {
  expect(accountCell(findings({ present: new Set(HOURS.slice(4)), firstCandleMs: HOURS[4] ?? 0 }))).toMatchObject({
    account: { expected: 20, present: 20, pending: 0 },
  });
});

test('a quarantined candle is requested once more and not again', () => {
  const quarantined = new Set(HOURS.slice(3, 4));
  const first = accountCell(findings({ present: without(3), quarantined }));
  expect(first).toMatchObject({ account: { quarantined: 1, pending: 0 }, nextAttemptAtMs: NOW_MS + 6 * HOUR_MS });
  expect(accountCell(findings({ present: without(3), quarantined, before: first }))).toMatchObject({
    account: { quarantined: 1 },
    nextAttemptAtMs: null,
  });
});

test('a dropped row stays quarantined and is not requested again; another row beside it still is', () => {
  const [first, second] = HOURS as [number, number];
  const quarantined = new Set([first, second]);
  expect(accountCell(findings({ present: without(0, 1), quarantined, dropped: quarantined }))).toMatchObject({
    account: { quarantined: 2, pending: 0 },
    gaps: [{ cause: 'dropped' }],
    attempts: 0,
    pendingSinceMs: null,
    nextAttemptAtMs: null,
  });
  expect(accountCell(findings({ present: without(0, 1), quarantined, dropped: new Set([first]) }))).toMatchObject({
    account: { quarantined: 2 },
    gaps: [{ cause: 'dropped' }, { cause: null }],
    nextAttemptAtMs: NOW_MS + 6 * HOUR_MS,
  });
});
