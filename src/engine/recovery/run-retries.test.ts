import { expect, test } from 'vitest';
import type { AssetReport, Run } from '../../state/runs.ts';
import { DefectError, RunCrashedError } from '../../errors/errors.ts';
import { toRecord } from '../../errors/fault-record.ts';
import { FAULT_CODES, ruleOf, type FaultCode } from '../../errors/table.ts';
import { plannedRetryOf, retriesDue } from './run-retries.ts';

const MINUTE_MS = 60_000;
const asset = (errors: Record<string, FaultCode>): AssetReport => ({
  asset: 'bronze_binance_ohlcv',
  outcome: 'failed',
  status: 'success',
  input_rows: 0,
  output_rows: 0,
  removed_rows: 0,
  removal_rate: 0,
  validation_errors: 0,
  validation_warnings: 0,
  symbols_ok: 0,
  symbols_failed: 1,
  errors,
});
const failed = (over: Partial<Run>): Run => ({
  id: 'run_1',
  interval: '1h',
  partition: '2024-06-01',
  partitionEnd: '2024-06-01',
  trigger: 'manual',
  tags: {},
  request: { markets: [], selection: 'missing', waitPolicy: 'all', assets: [] },
  status: 'finished',
  outcome: 'failed',
  owner: 'here:7',
  fence: 1,
  crashCount: 0,
  createdAtMs: 0,
  startedAtMs: 0,
  finishedAtMs: 0,
  assets: [],
  error: null,
  ...over,
});
const due = (run: Run, afterMinutes: number, waitPolicy: 'all' | 'none' = 'all') =>
  retriesDue([run], { nowMs: afterMinutes * MINUTE_MS, waitPolicy }).length === 1;

test('a run with a transient fault is retried, one with any other fault is not', () => {
  for (const code of FAULT_CODES)
    expect(due(failed({ assets: [asset({ 'BTC/USDT': code })] }), 1), code).toBe(ruleOf(code).kind === 'transient');
});

test('a run whose process died is retried', () => {
  expect(due(failed({ error: toRecord(new RunCrashedError({ run: 'run_1' })) }), 1)).toBe(true);
});

test('a healing run is retried when it did not publish, not when its cells failed again', () => {
  const gold: AssetReport = { ...asset({}), asset: 'gold_huggingface_ohlcv', outcome: 'failed' };
  expect(due(failed({ trigger: 'heal', assets: [asset({ X: 'REQUEST_TIMEOUT' })] }), 1)).toBe(false);
  expect(due(failed({ trigger: 'heal', assets: [asset({ X: 'REQUEST_TIMEOUT' }), gold] }), 1)).toBe(true);
});

test('there are three retries: one, five and fifteen minutes after the previous failure', () => {
  const at = (retryCount: number, afterMinutes: number) =>
    due(failed({ assets: [asset({ X: 'REQUEST_TIMEOUT' })], tags: { retry_count: String(retryCount) } }), afterMinutes);
  expect([at(0, 0.9), at(0, 1), at(1, 4.9), at(1, 5), at(2, 14.9), at(2, 15), at(3, 1_000)]).toEqual([
    false,
    true,
    false,
    true,
    false,
    true,
    false,
  ]);
});

test('a retry by hand skips our waits but not the limit of three', () => {
  const at = (retryCount: number) =>
    due(failed({ assets: [asset({ X: 'REQUEST_TIMEOUT' })], tags: { retry_count: String(retryCount) } }), 0, 'none');
  expect([at(0), at(2), at(3)]).toEqual([true, true, false]);
});

test('a healing run is not retried: its cells have a next attempt', () => {
  expect(due(failed({ trigger: 'heal', assets: [asset({ X: 'REQUEST_TIMEOUT' })] }), 1_000)).toBe(false);
});

test('a run whose dataset was published waits for its cells, however they failed', () => {
  const gold: AssetReport = { ...asset({}), asset: 'gold_huggingface_ohlcv', outcome: 'complete' };
  expect(due(failed({ trigger: 'heal', assets: [asset({ X: 'REQUEST_TIMEOUT' }), gold] }), 1)).toBe(false);
});

test('one transient fault among permanent ones is enough for a retry; a defect excludes it', () => {
  const assets = [asset({ X: 'NOT_FOUND', Y: 'REQUEST_TIMEOUT' })];
  expect(due(failed({ assets }), 1)).toBe(true);
  expect(due(failed({ assets, error: toRecord(new DefectError('bug', { cause: new TypeError('x') })) }), 1)).toBe(
    false,
  );
});

test('the planned retry counts attempts from 1 and begins at the end of the failed run', () => {
  const planned = (retryCount: number, over: Partial<Run> = {}) =>
    plannedRetryOf(
      failed({ assets: [asset({ X: 'REQUEST_TIMEOUT' })], tags: { retry_count: String(retryCount) }, ...over }),
      5 * MINUTE_MS,
    );
  expect(planned(1, { finishedAtMs: MINUTE_MS })).toEqual({ attempt: 2, attemptsMax: 3, atMs: 6 * MINUTE_MS });
  expect(planned(0, { finishedAtMs: null })).toEqual({ attempt: 1, attemptsMax: 3, atMs: 6 * MINUTE_MS });
  expect(planned(3)).toBe('used-up');
  expect(planned(0, { assets: [asset({ X: 'NOT_FOUND' })] })).toBe('never');
});
