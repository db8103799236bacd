import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { balances } from '../../tests/support/balances.ts';
import { addAccounts, countCell, EMPTY_ACCOUNT, type Account } from './account.ts';
import { GAP_STATES, type GapReason } from './gap.ts';

const HOUR_MS = 3_600_000;
const DAY = { fromMs: 0, toMs: 24 * HOUR_MS };
const reason = (state: GapReason['state'], over: Partial<GapReason> = {}): GapReason => ({
  state,
  code: null,
  cause: null,
  ...over,
});

const anyReason: fc.Arbitrary<GapReason> = fc.record({
  state: fc.constantFrom(...GAP_STATES),
  code: fc.constantFrom(null, 'ROWS_MISSING', 'REQUEST_TIMEOUT'),
  cause: fc.constantFrom(null, 'thin_market', 'unexplained'),
});
/** Per hour of a day: the candle is there, or why it is not. */
const anyHours = fc.array(fc.option(anyReason), { minLength: 24, maxLength: 24 });

test('each due candle is counted once in its own state, and neighbours with one reason are one gap', () => {
  fc.assert(
    fc.property(anyHours, (hours) => {
      const present = new Set(hours.flatMap((why, hour) => (why === null ? [hour * HOUR_MS] : [])));
      const reasonOf = (openTimeMs: number): GapReason => hours[openTimeMs / HOUR_MS] ?? reason('pending');
      const { account, gaps } = countCell({ due: DAY, interval: '1h', present, reasonOf });
      expect(account.expected).toBe(24);
      expect(account.present).toBe(present.size);
      for (const state of GAP_STATES) expect(account[state]).toBe(hours.filter((why) => why?.state === state).length);
      expect(balances(account)).toBe(true);
      const candles = gaps.flatMap(({ fromMs, toMs, ...why }) =>
        Array.from({ length: (toMs - fromMs) / HOUR_MS }, (_, at) => [fromMs / HOUR_MS + at, why]),
      );
      expect(candles).toEqual(hours.flatMap((why, hour) => (why === null ? [] : [[hour, why]])));
      for (const [at, gap] of gaps.entries()) {
        const before = gaps[at - 1];
        const isSame = before?.state === gap.state && before.code === gap.code && before.cause === gap.cause;
        expect(isSame && before?.toMs === gap.fromMs).toBe(false);
      }
    }),
  );
});

test('a range that begins between two candles counts from the next candle on', () => {
  const due = { fromMs: HOUR_MS / 2, toMs: 3 * HOUR_MS };
  const { account, gaps } = countCell({ due, interval: '1h', present: new Set(), reasonOf: () => reason('outage') });
  expect(account).toEqual({ ...EMPTY_ACCOUNT, expected: 2, outage: 2 });
  expect(gaps).toEqual([{ fromMs: HOUR_MS, toMs: 3 * HOUR_MS, ...reason('outage') }]);
});

test('accounts add up state by state, and an account that does not balance is noticed', () => {
  const a: Account = { expected: 21, present: 1, no_trades: 2, outage: 3, quarantined: 4, pending: 11 };
  const b: Account = { expected: 150, present: 10, no_trades: 20, outage: 30, quarantined: 40, pending: 50 };
  const sum = { expected: 171, present: 11, no_trades: 22, outage: 33, quarantined: 44, pending: 61 };
  expect(addAccounts(a, b)).toEqual(sum);
  expect(addAccounts(a, EMPTY_ACCOUNT)).toEqual(a);
  expect([a, b, sum].map(balances)).toEqual([true, true, true]);
  for (const key of Object.keys(a) as (keyof Account)[]) expect(balances({ ...a, [key]: a[key] + 1 })).toBe(false);
});
