import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteStore } from '../../platform/node/sqlite-store.ts';
import type { Operation } from '../../platform/ports/store.ts';
import { EMPTY_ACCOUNT } from '../../domain/account.ts';
import type { CellState } from '../../domain/cell.ts';
import { recordCells } from '../../state/cells.ts';
import type { AssetReport, RunEnd } from '../../state/runs.ts';
import { LEDGER_1 } from '../../state/schema.ts';
import { DefectError, exchangeError, StorageError } from '../../errors/errors.ts';
import { toRecord } from '../../errors/fault-record.ts';
import { FAULT_CODES, type FaultCode } from '../../errors/table.ts';
import { firingAlerts, raiseAlert } from './alerts.ts';
import { resolveHealed } from './healed-causes.ts';
import { alertsOfRun, mostFrequent, type AlertingRules } from './run-alerts.ts';
import { ALERTS_1 } from './schema.ts';

const REPORT: AssetReport = {
  asset: 'bronze_binance_ohlcv',
  outcome: 'partial',
  status: 'success',
  input_rows: 960,
  output_rows: 888,
  removed_rows: 0,
  removal_rate: 0,
  validation_errors: 0,
  validation_warnings: 0,
  symbols_ok: 37,
  symbols_failed: 3,
  errors: { 'A/USDT': 'REQUEST_TIMEOUT', 'B/USDT': 'NOT_FOUND', 'C/USDT': 'NOT_FOUND' },
};
const RUN = { id: 'run_1', partition: '2024-06-01', partitionEnd: '2024-06-03', tags: { team: 'data' } };
const END: RunEnd = { outcome: 'partial', assets: [REPORT], error: null };
const FINAL: AlertingRules = {
  criticalAssets: new Set(['gold_huggingface_ohlcv']),
  forecastOf: () => ({ kind: 'final' }),
};

test('an asset with failed symbols is one alert, named by the most frequent code', () => {
  expect(alertsOfRun(RUN, END, FINAL)).toEqual([
    {
      exchange: 'binance',
      code: 'NOT_FOUND',
      asset: 'bronze_binance_ohlcv',
      scope: 'symbols',
      level: 'warning',
      summary: '2024-06-01 to 2024-06-03: 3 of 40 symbols failed (REQUEST_TIMEOUT 1, NOT_FOUND 2)',
      safe: '37 symbols are stored, and bronze keeps every response',
      next: 'nothing: a retry cannot change it',
      command: 'candlekeep runs show run_1',
      runId: 'run_1',
      affected: { total: 3, worst: ['A/USDT', 'B/USDT', 'C/USDT'] },
      tags: { team: 'data' },
    },
  ]);
});

test('500 failed symbols are shown as a number and five examples', () => {
  const errors = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`S${at}/USDT`, 'NOT_FOUND' as const]));
  const [event, ...others] = alertsOfRun(
    RUN,
    { ...END, assets: [{ ...REPORT, symbols_ok: 0, symbols_failed: 500, errors }] },
    FINAL,
  );
  expect({ affected: event?.affected, others }).toEqual({
    affected: { total: 500, worst: Object.keys(errors).toSorted().slice(0, 5) },
    others: [],
  });
});

test('an asset that failed as a whole has the scope asset, and the alert says when it heals', () => {
  const healing: AlertingRules = {
    ...FINAL,
    forecastOf: () => ({ kind: 'healing', attempt: 2, attemptsMax: 3, nextAtMs: Date.UTC(2024, 5, 4, 0, 5) }),
  };
  const oneDay = { ...RUN, partitionEnd: RUN.partition };
  const failed: RunEnd = { ...END, assets: [{ ...REPORT, outcome: 'failed', symbols_ok: 1 }] };
  expect(alertsOfRun(oneDay, failed, healing)).toMatchObject([
    {
      scope: 'asset',
      level: 'warning',
      next: 'healing 2/3, next at 2024-06-04T00:05Z',
      safe: '1 symbol is stored, and bronze keeps every response',
      summary: expect.stringMatching(/^2024-06-01: /) as string,
    },
  ]);
  expect(alertsOfRun(oneDay, failed, FINAL)).toMatchObject([{ scope: 'asset', level: 'error' }]);
});

test('complete, cancelled and downstream assets raise no alert', () => {
  const silver = { ...REPORT, asset: 'silver_ohlcv_normalized' };
  expect(
    alertsOfRun(
      RUN,
      { ...END, assets: [silver, { ...REPORT, outcome: 'complete', errors: {} }, { ...REPORT, outcome: 'cancelled' }] },
      FINAL,
    ),
  ).toEqual([]);
});

test.each([
  [0.05, []],
  [0.051, ['warning']],
  [0.1, ['warning']],
  [0.101, ['error']],
] as const)('%d of the rows removed: %j', (removal_rate, levels) => {
  const silver: AssetReport = {
    ...REPORT,
    asset: 'silver_ohlcv_normalized',
    outcome: 'complete',
    errors: {},
    removal_rate,
    removed_rows: 1,
  };
  expect(alertsOfRun(RUN, { ...END, assets: [silver] }, FINAL).map(({ code, level }) => [code, level])).toEqual(
    levels.map((level) => ['ROWS_INVALID', level]),
  );
});

test('the fault that stopped a run raises one alert at its level, even when no asset was finished', () => {
  const disk = toRecord(new StorageError('cannot write bronze (ENOSPC)', { path: 'bronze', errno: 'ENOSPC' }));
  expect(alertsOfRun(RUN, { ...END, assets: [], error: disk }, FINAL)).toMatchObject([
    { exchange: null, code: 'STORAGE_FAILED', asset: null, level: 'critical', scope: 'asset' },
  ]);
  const bug = toRecord(new DefectError('x is undefined', { cause: new TypeError('x') }));
  expect(alertsOfRun(RUN, { ...END, error: bug }, FINAL).map(({ code }) => code)).toEqual(['NOT_FOUND', 'DEFECT']);
  const refused = toRecord(
    exchangeError('UNAUTHORIZED', 'okx answered 401', {
      exchange: 'okx',
      status: 401,
      venueCode: null,
      retryAfterMs: null,
    }),
  );
  expect(
    alertsOfRun(
      RUN,
      {
        ...END,
        assets: [{ ...REPORT, asset: 'bronze_okx_ohlcv', outcome: 'failed', errors: { 'A/USDT': 'UNAUTHORIZED' } }],
        error: refused,
      },
      FINAL,
    ),
  ).toMatchObject([{ exchange: 'okx', code: 'UNAUTHORIZED', level: 'critical' }]);
});

test('the code of an alert does not depend on the order of failures', () => {
  expect(mostFrequent([])).toBeNull();
  expect(mostFrequent(['NOT_FOUND', 'REQUEST_REJECTED'])).toBe('REQUEST_REJECTED');
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...FAULT_CODES), { minLength: 1 }), (codes) => {
      expect(mostFrequent(codes.toReversed())).toBe(mostFrequent(codes));
      const count = (code: FaultCode | null): number => codes.filter((each) => each === code).length;
      expect(count(mostFrequent(codes))).toBe(Math.max(...codes.map(count)));
    }),
  );
});

test('a cause ends with the run that leaves none of its cells pending, and not before', async () => {
  const store = openSqliteStore({ path: ':memory:', migrations: [LEDGER_1, ALERTS_1] });
  onTestFinished(() => store.close());
  const act = <T>(operation: () => Operation<T>): Promise<T> => store.transact(operation);
  const moment = { nowMs: 1, redact: (text: string) => text };
  const cell = (pending: number, code: FaultCode): CellState => ({
    exchange: 'binance',
    symbol: 'B/USDT',
    interval: '1h',
    day: '2024-06-01',
    account: { ...EMPTY_ACCOUNT, expected: 24, present: 24 - pending, pending },
    gaps: pending === 0 ? [] : [{ fromMs: 0, toMs: pending * 3_600_000, state: 'pending', code, cause: null }],
    flat: [],
    cut: [],
    attempts: 1,
    pendingSinceMs: pending === 0 ? null : 1,
    nextAttemptAtMs: pending === 0 ? null : 5,
    notBeforeMs: null,
  });
  const raised = alertsOfRun(RUN, END, FINAL);
  const record = (pending: number, code: FaultCode = 'NOT_FOUND') =>
    act(() => recordCells([cell(pending, code)], { runId: 'run_1', nowMs: 1 }));
  const heal = (part: Partial<Parameters<typeof resolveHealed>[0]> = {}) =>
    act(() =>
      resolveHealed(
        { runId: 'run_2', assets: ['bronze_binance_ohlcv'], outcome: 'complete', raised: [], ...part },
        moment,
      ),
    );
  await act(function* () {
    for (const event of raised) yield* raiseAlert(event, moment);
  });
  await record(3);
  expect(await heal()).toEqual([]);
  await record(0);
  expect(await heal({ assets: ['bronze_okx_ohlcv'] })).toEqual([]);
  expect(await heal({ raised })).toEqual([]);
  await record(2, 'REQUEST_TIMEOUT');
  expect(await heal()).toEqual(['binance/NOT_FOUND/bronze_binance_ohlcv']);
  expect(await act(() => firingAlerts())).toEqual([]);
});
