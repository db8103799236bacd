import { expect, test } from 'vitest';
import type { AssetReport } from '../faults/ledger/runs.ts';
import { CellsLeasedError, exchangeError, type ExchangeFaultCode, type Fault } from '../faults/taxonomy/errors.ts';
import { CancelledError } from '../faults/taxonomy/judge.ts';
import { FAULT_CODES } from '../faults/taxonomy/table.ts';
import { EXIT, exitOfFault, worstExit } from './exit-code.ts';
import { GOLD_ASSET, SILVER_ASSET } from '../faults/ledger/asset-names.ts';
import { stoppedBy, verdictOf } from './run-verdict.ts';

const fault = (code: ExchangeFaultCode): Fault =>
  exchangeError(code, code, { exchange: 'binance', status: null, venueCode: null, retryAfterMs: null });
const report = (over: Partial<AssetReport>): AssetReport => ({
  asset: 'bronze_binance_ohlcv',
  outcome: 'complete',
  status: 'success',
  input_rows: 1,
  output_rows: 1,
  removed_rows: 0,
  removal_rate: 0,
  validation_errors: 0,
  validation_warnings: 0,
  symbols_ok: 1,
  symbols_failed: 0,
  errors: {},
  ...over,
});
const verdict = (assets: readonly Partial<AssetReport>[], faults: readonly Fault[], wasAnswered = true) =>
  verdictOf({ assets: assets.map(report), faults, wasAnswered });

test('every code of the fault table has an exit code', () => {
  for (const code of FAULT_CODES) expect(Object.values(EXIT)).toContain(exitOfFault(code));
});

test('if several exits apply, the documented order decides', () => {
  const order = [130, 143, 1, 2, 9, 4, 7, 5, 6, 3] as const;
  order.forEach((code, at) => expect(worstExit(order.slice(at).toReversed())).toBe(code));
  expect(worstExit([])).toBe(0);
});

test('a run in which everything is complete ends with 0', () =>
  expect(verdict([{}], [])).toMatchObject({ outcome: 'complete', exit: 0, error: null }));

test('some symbols failed: partial, 3, and no error of the whole', () => {
  expect(verdict([{ outcome: 'partial', symbols_failed: 1 }], [fault('EXCHANGE_SERVER_ERROR')])).toMatchObject({
    outcome: 'partial',
    exit: 3,
    error: null,
  });
});

test('an asset that failed while the venue answered some: 5', () => {
  expect(verdict([{ outcome: 'failed' }], [fault('EXCHANGE_SERVER_ERROR')])).toMatchObject({
    outcome: 'failed',
    exit: 5,
    error: { code: 'EXCHANGE_SERVER_ERROR' },
  });
});

test('no venue answered anything but time-outs, broken connections and 5xx: 7', () => {
  expect(
    verdict(
      [{ outcome: 'failed' }],
      [fault('CONNECTION_FAILED'), fault('REQUEST_TIMEOUT'), fault('EXCHANGE_SERVER_ERROR')],
      false,
    ),
  ).toMatchObject({ exit: 7 });
  expect(verdict([{ outcome: 'failed' }], [fault('CONNECTION_FAILED'), fault('NOT_FOUND')], false)).toMatchObject({
    exit: 5,
  });
  expect(
    verdict([{ outcome: 'partial', symbols_ok: 2, symbols_failed: 1 }], [fault('CONNECTION_FAILED')], false),
    'two symbols had nothing to ask',
  ).toMatchObject({ exit: 7 });
});

test('a whole asset with a shape nobody knows: 6', () =>
  expect(verdict([{ outcome: 'failed' }], [fault('SCHEMA_MISMATCH')], false)).toMatchObject({ exit: 6 }));

test('more than a tenth of the rows removed: 6; exactly a tenth: not', () => {
  expect(verdict([{ asset: SILVER_ASSET, outcome: 'partial', removal_rate: 0.1001 }], [])).toMatchObject({ exit: 6 });
  expect(verdict([{ asset: SILVER_ASSET, outcome: 'complete', removal_rate: 0.1 }], [])).toMatchObject({ exit: 0 });
});

test.each(['UNAUTHORIZED', 'FORBIDDEN'] as const)('%s: 4', (code) =>
  expect(verdict([{ outcome: 'failed' }], [fault(code)], false)).toMatchObject({
    exit: 4,
    error: { code },
    endsWork: code === 'UNAUTHORIZED',
  }),
);

test('leased cells: 9, before what failed besides', () => {
  expect(
    verdict([{ outcome: 'failed' }], [fault('FORBIDDEN'), new CellsLeasedError({ lease: 'x', owner: 'run_1' })]),
  ).toMatchObject({ exit: 9, error: { code: 'CELLS_LEASED' } });
});

test('a gold that did not get through fails the run: 5', () =>
  expect(verdict([{}, { asset: GOLD_ASSET, outcome: 'failed' }], [])).toMatchObject({ outcome: 'failed', exit: 5 }));

test('a cancellation is no failure and a bug of ours is never a failed symbol', () => {
  expect(stoppedBy(new CancelledError('SIGINT'))).toMatchObject({ outcome: 'cancelled', exit: 130, error: null });
  expect(stoppedBy(new TypeError('x is not a function'))).toMatchObject({
    outcome: 'failed',
    exit: 1,
    error: { code: 'DEFECT', message: 'x is not a function' },
  });
  expect(stoppedBy(fault('UNAUTHORIZED'))).toMatchObject({ outcome: 'failed', exit: 4 });
});
