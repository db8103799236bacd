import { expect, test } from 'vitest';
import type { AssetReport, Run } from '../../state/runs.ts';
import { measurementsOf, type MonitoredState } from './measurements.ts';
import { heldByHalf } from './watermarks.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW_MS = Date.UTC(2024, 5, 10, 12);
const asset = (over: Partial<AssetReport>): AssetReport => ({
  asset: 'bronze_okx_ohlcv',
  outcome: 'complete',
  status: 'success',
  input_rows: 0,
  output_rows: 0,
  removed_rows: 0,
  removal_rate: 0,
  validation_errors: 0,
  validation_warnings: 0,
  symbols_ok: 1,
  symbols_failed: 0,
  errors: {},
  ...over,
});
const run = (endedAgoMs: number, over: Partial<Run>): Run => ({
  id: 'run_1',
  interval: '1h',
  partition: '2024-06-01',
  partitionEnd: '2024-06-01',
  trigger: 'schedule',
  tags: {},
  request: { markets: [], selection: 'missing', waitPolicy: 'all', assets: [] },
  status: 'finished',
  outcome: 'failed',
  owner: 'here:7',
  fence: 1,
  crashCount: 0,
  createdAtMs: 0,
  startedAtMs: NOW_MS - endedAgoMs - MINUTE_MS,
  finishedAtMs: NOW_MS - endedAgoMs,
  assets: [asset({ outcome: 'failed' })],
  error: null,
  ...over,
});
const valuesOf = (rule: string, seen: Partial<MonitoredState>) =>
  measurementsOf({ runs: [], samples: [], watermarks: [], nowMs: NOW_MS, ...seen })
    .filter((one) => one.rule === rule)
    .map(({ subject, value }) => [subject, value]);

test('final failures are counted for each asset', () => {
  const sample = (of: string, value: number) => ({
    name: 'pipeline_final_failures' as const,
    labels: { asset: of },
    value,
  });
  expect(
    valuesOf('RULE_FAILED_RUNS', { samples: [sample('bronze_okx_ohlcv', 4), sample('silver_ohlcv_normalized', 0)] }),
  ).toEqual([
    ['bronze_okx_ohlcv', 4],
    ['silver_ohlcv_normalized', 0],
  ]);
});

test('failed symbols are a share of each bronze asset; an asset without symbols has no value', () => {
  const sample = (of: string, state: string, value: number) => ({
    name: 'pipeline_symbols' as const,
    labels: { exchange: 'okx', asset: of, state },
    value,
  });
  expect(
    valuesOf('RULE_FAILED_SYMBOLS', {
      samples: [
        sample('bronze_okx_ohlcv', 'ok', 9),
        sample('bronze_okx_ohlcv', 'failed', 3),
        sample('bronze_binance_ohlcv', 'ok', 0),
        sample('silver_ohlcv_normalized', 'ok', 1),
      ],
    }),
  ).toEqual([
    ['bronze_okx_ohlcv', 0.25],
    ['bronze_binance_ohlcv', null],
  ]);
});

test("removed rows are a share of silver's input rows; without rows there is no value", () => {
  const silver = (input_rows: number, removed_rows: number) =>
    run(0, { assets: [asset({ asset: 'silver_ohlcv_normalized', input_rows, removed_rows })] });
  expect(valuesOf('RULE_ROWS_REMOVED', { runs: [silver(100, 0), silver(100, 12)] })).toEqual([['', 0.06]]);
  expect(valuesOf('RULE_ROWS_REMOVED', {})).toEqual([['', null]]);
});

test('latency is the 95th percentile of the durations of scheduled runs', () => {
  expect(
    valuesOf('RULE_LATENCY', {
      runs: [run(0, {}), run(0, { startedAtMs: NOW_MS - 400_000 }), run(0, { trigger: 'manual', startedAtMs: 0 })],
    }),
  ).toEqual([['', 400]]);
  expect(valuesOf('RULE_LATENCY', {})).toEqual([['', null]]);
});

test('an exchange is as late as its latest interval; one that never had a candle has no value', () => {
  const watermark = (exchange: string, interval: '1h' | '1d', newestOpenMs: number | null) => ({
    exchange,
    interval,
    newestOpenMs,
    graceMs: 0,
  });
  const watermarks = [
    watermark('okx', '1h', NOW_MS - 5 * HOUR_MS),
    watermark('okx', '1d', NOW_MS - 36 * HOUR_MS),
    watermark('binance', '1h', null),
  ];
  expect(valuesOf('RULE_FRESHNESS', { watermarks })).toEqual([
    ['okx', 3 * 3_600],
    ['binance', null],
  ]);
});

test('one stalled symbol does not make an exchange late, half of the symbols do', () => {
  expect([
    heldByHalf([]),
    heldByHalf([5]),
    heldByHalf([9, 1]),
    heldByHalf([9, 9, 1]),
    heldByHalf([9, 1, 1]),
    heldByHalf([9, 9, 9, 1, 1, 1, 1]),
  ]).toEqual([null, 5, 9, 9, 1, 1]);
});
