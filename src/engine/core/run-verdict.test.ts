import { expect, test } from 'vitest';
import type { AssetReport } from '../../state/runs.ts';
import { CellsLeasedError, exchangeError, type ExchangeFaultCode, type Fault } from '../../errors/errors.ts';
import { CancelledError } from '../../errors/classify.ts';
import { GOLD_ASSET, SILVER_ASSET } from '../../domain/assets.ts';
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

test('a run in which everything is complete ends with 0', () =>
  expect(verdict([{}], [])).toMatchObject({ outcome: 'complete', ending: 'done', error: null }));

test('some symbols failed: partial, 3, and no error of the whole', () => {
  expect(verdict([{ outcome: 'partial', symbols_failed: 1 }], [fault('EXCHANGE_SERVER_ERROR')])).toMatchObject({
    outcome: 'partial',
    ending: 'partial',
    error: null,
  });
});

test('an asset that failed while the venue answered some: 5', () => {
  expect(verdict([{ outcome: 'failed' }], [fault('EXCHANGE_SERVER_ERROR')])).toMatchObject({
    outcome: 'failed',
    ending: 'assetFailed',
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
  ).toMatchObject({ ending: 'unreachable' });
  expect(verdict([{ outcome: 'failed' }], [fault('CONNECTION_FAILED'), fault('NOT_FOUND')], false)).toMatchObject({
    ending: 'assetFailed',
  });
  expect(
    verdict([{ outcome: 'partial', symbols_ok: 2, symbols_failed: 1 }], [fault('CONNECTION_FAILED')], false),
    'two symbols had nothing to fetch',
  ).toMatchObject({ ending: 'unreachable' });
});

test('a whole asset with an unknown response shape: 6', () =>
  expect(verdict([{ outcome: 'failed' }], [fault('SCHEMA_MISMATCH')], false)).toMatchObject({ ending: 'dataQuality' }));

test('more than a tenth of the rows removed: 6; exactly a tenth: not', () => {
  expect(verdict([{ asset: SILVER_ASSET, outcome: 'partial', removal_rate: 0.1001 }], [])).toMatchObject({
    ending: 'dataQuality',
  });
  expect(verdict([{ asset: SILVER_ASSET, outcome: 'complete', removal_rate: 0.1 }], [])).toMatchObject({
    ending: 'done',
  });
});

test.each(['UNAUTHORIZED', 'FORBIDDEN'] as const)('%s: 4', (code) =>
  expect(verdict([{ outcome: 'failed' }], [fault(code)], false)).toMatchObject({
    ending: 'refused',
    error: { code },
    endsWork: code === 'UNAUTHORIZED',
  }),
);

test('leased cells: 9, before what failed besides', () => {
  expect(
    verdict([{ outcome: 'failed' }], [fault('FORBIDDEN'), new CellsLeasedError({ lease: 'x', owner: 'run_1' })]),
  ).toMatchObject({ ending: 'leased', error: { code: 'CELLS_LEASED' } });
});

test('a gold that did not get through fails the run: 5', () =>
  expect(verdict([{}, { asset: GOLD_ASSET, outcome: 'failed' }], [])).toMatchObject({
    outcome: 'failed',
    ending: 'assetFailed',
  }));

test('a cancellation is no failure and a bug of ours is never a failed symbol', () => {
  expect(stoppedBy(new CancelledError('SIGINT'))).toMatchObject({
    outcome: 'cancelled',
    ending: 'interrupted',
    error: null,
  });
  expect(stoppedBy(new TypeError('x is not a function'))).toMatchObject({
    outcome: 'failed',
    ending: 'defect',
    error: { code: 'DEFECT', message: 'x is not a function' },
  });
  expect(stoppedBy(fault('UNAUTHORIZED'))).toMatchObject({ outcome: 'failed', ending: 'refused' });
});
