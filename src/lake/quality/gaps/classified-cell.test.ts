import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { dayRange } from '../../../domain/partition.ts';
import { gridOf } from '../../../domain/range.ts';
import { rangesOf } from '../../../../tests/support/ranges.ts';
import { countCell } from '../../../domain/account.ts';
import { balances } from '../../../../tests/support/balances.ts';
import type { CellState } from '../../../domain/cell.ts';
import type { GapEvidence } from './gap-evidence.ts';
import type { GapVerdict } from './gap-verdicts.ts';
import { classifiedCell } from './classified-cell.ts';

const DAY = '2024-06-01';
const HOURS = gridOf(dayRange(DAY), '1h');

type Row = 'traded' | 'flat' | 'missing' | 'quarantined' | 'failed';

function cellOf(rows: readonly Row[]): CellState {
  const rowAt = new Map(HOURS.map((openTimeMs, at) => [openTimeMs, rows[at] ?? 'traded']));
  const counted = countCell({
    due: dayRange(DAY),
    interval: '1h',
    present: { has: (openTimeMs) => ['traded', 'flat'].includes(rowAt.get(openTimeMs) as Row) },
    reasonOf: (openTimeMs) =>
      rowAt.get(openTimeMs) === 'quarantined'
        ? { state: 'quarantined', code: 'ROWS_INVALID', cause: null }
        : {
            state: 'pending',
            code: rowAt.get(openTimeMs) === 'failed' ? 'REQUEST_TIMEOUT' : 'ROWS_MISSING',
            cause: null,
          },
  });
  return {
    exchange: 'binance',
    symbol: 'BTC/USDT',
    interval: '1h',
    day: DAY,
    ...counted,
    flat: rangesOf(
      HOURS.filter((openTimeMs) => rowAt.get(openTimeMs) === 'flat'),
      '1h',
    ),
    cut: [],
    attempts: 2,
    pendingSinceMs: 1,
    nextAttemptAtMs: 2,
    notBeforeMs: null,
  };
}

const verdictOn = (openTimeMs: number, rows: 'missing' | 'flat', state: GapVerdict['state']): GapVerdict => ({
  symbol: 'BTC/USDT',
  fromMs: openTimeMs,
  toMs: openTimeMs + 3_600_000,
  state,
  cause: state === 'outage' ? 'venue_outage' : state === 'no_trades' ? 'thin_market' : 'second_look',
  evidence: { rows } as GapEvidence,
});

const row = fc.constantFrom<Row>('traded', 'flat', 'missing', 'quarantined', 'failed');

test('whatever is classified, the account balances, and a verdict counts for exactly its candles', () => {
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 24, maxLength: 24 }),
      fc.array(fc.constantFrom<GapVerdict['state'] | null>('outage', 'no_trades', 'pending', null), {
        minLength: 24,
        maxLength: 24,
      }),
      (rows, states) => {
        const verdicts = HOURS.flatMap((openTimeMs, at): GapVerdict[] => {
          const state = states[at] ?? null;
          if (rows[at] === 'missing' && state !== null) return [verdictOn(openTimeMs, 'missing', state)];
          return rows[at] === 'flat' && state === 'outage' ? [verdictOn(openTimeMs, 'flat', 'outage')] : [];
        });
        const before = cellOf(rows);
        const classified = classifiedCell(before, verdicts);
        expect(balances(classified.account)).toBe(true);
        expect(classified.account.outage).toBe(verdicts.filter(({ state }) => state === 'outage').length);
        expect(classified.account.no_trades).toBe(verdicts.filter(({ state }) => state === 'no_trades').length);
        expect(classified.account.quarantined).toBe(before.account.quarantined);
        expect(classified.nextAttemptAtMs === null).toBe(
          classified.account.pending + classified.account.quarantined === 0,
        );
      },
    ),
  );
});

test('flat rows that no longer stand for an outage are present again', () => {
  const cell = cellOf(['flat', 'flat']);
  const halted = classifiedCell(cell, [verdictOn(HOURS[0]!, 'flat', 'outage'), verdictOn(HOURS[1]!, 'flat', 'outage')]);
  expect(halted.account).toMatchObject({ present: 22, outage: 2 });
  expect(classifiedCell(halted, []).account).toMatchObject({ present: 24, outage: 0 });
});
