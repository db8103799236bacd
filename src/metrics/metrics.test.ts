import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteStore } from '../platform/node/sqlite-store.ts';
import type { Operation, Store } from '../platform/ports/store.ts';
import type { AssetReport } from '../state/runs.ts';
import { exposition, type Sample } from './exposition.ts';
import { DURATION_BOUNDS_S, familyOf, METRIC_NAMES } from './families.ts';
import { gapMetrics, latenessMs, watermarkMetrics } from './ledger-metrics.ts';
import { evaluateMeasurements, ruleMetrics } from './rule-states.ts';
import { runMetrics, untouchedCounts } from './run-metrics.ts';
import { METRICS_1 } from './schema.ts';
import { addCounts, observeDuration, setGauges, storedSamples } from './values.ts';

const HOUR_MS = 3_600_000;
const runs = (value: number, outcome = 'complete'): Sample => ({
  name: 'pipeline_runs_total',
  labels: { asset: 'bronze_okx_ohlcv', outcome, trigger: 'schedule' },
  value,
});

/** The lines of one family, without its head. */
const linesOf = (text: string, name: string): string[] =>
  text.split('\n').filter((line) => line.startsWith(name) && /^[a-z_]+(\{| )/.test(line) && !line.startsWith('#'));

test('the text format has the head, ordered labels, values and cumulative buckets', () => {
  const text = exposition(
    [runs(3), runs(1, 'failed'), { name: 'pipeline_alert_outbox_oldest_seconds', labels: {}, value: 1.5 }],
    [
      {
        name: 'pipeline_run_duration_seconds',
        labels: { trigger: 'schedule' },
        buckets: [1, 0, 2, 0, 0, 0, 1],
        sum: 1_020.5,
      },
    ],
  );
  expect(text).toContain(
    '# HELP pipeline_runs_total Finished runs, counted once per asset.\n' +
      '# TYPE pipeline_runs_total counter\n' +
      'pipeline_runs_total{asset="bronze_okx_ohlcv",outcome="complete",trigger="schedule"} 3\n' +
      'pipeline_runs_total{asset="bronze_okx_ohlcv",outcome="failed",trigger="schedule"} 1\n',
  );
  expect(linesOf(text, 'pipeline_alert_outbox')).toEqual(['pipeline_alert_outbox_oldest_seconds 1.5']);
  expect(linesOf(text, 'pipeline_run_duration')).toEqual([
    ...[
      ['1', 1],
      ['5', 1],
      ['15', 3],
      ['60', 3],
      ['300', 3],
      ['900', 3],
      ['+Inf', 4],
    ].map(([bound, count]) => `pipeline_run_duration_seconds_bucket{trigger="schedule",le="${bound}"} ${count}`),
    'pipeline_run_duration_seconds_sum{trigger="schedule"} 1020.5',
    'pipeline_run_duration_seconds_count{trigger="schedule"} 4',
  ]);
  expect(text.endsWith('\n')).toBe(true);
  expect(text.match(/^# TYPE /gm)).toHaveLength(METRIC_NAMES.length);
});

test('a label value with any characters stays on one line and is read back unchanged', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.double({ noNaN: true }), (outcome, value) => {
      const [line] = linesOf(
        exposition([{ name: 'pipeline_heal_attempts_total', labels: { outcome }, value }]),
        'pipeline_heal_attempts_total',
      );
      const [, text = '', number = ''] =
        /^pipeline_heal_attempts_total\{outcome="((?:[^"\\\n]|\\["\\n])*)"\} (\S+)$/.exec(line ?? '') ?? [];
      expect(text.replaceAll(/\\(["\\n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))).toBe(outcome);
      expect(number === '+Inf' ? Infinity : number === '-Inf' ? -Infinity : Number(number)).toBe(
        value === 0 ? 0 : value,
      );
    }),
  );
});

test('a sample with other labels than its family is rejected', () => {
  expect(() => exposition([{ name: 'pipeline_heal_attempts_total', labels: {}, value: 1 }])).toThrow('outcome');
  expect(() =>
    exposition([{ name: 'pipeline_heal_attempts_total', labels: { outcome: 'x', more: 'y' }, value: 1 }]),
  ).toThrow(RangeError);
});

test('every family has a sentence as help, and only counters end in _total', () => {
  for (const name of METRIC_NAMES) {
    const { type, help } = familyOf(name);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    expect(help, name).toMatch(/^[A-Z1].*\.$/);
  }
});

function openStore(path = ':memory:'): Store {
  const store = openSqliteStore({ path, migrations: [METRICS_1] });
  onTestFinished(() => store.close());
  return store;
}
const act = <T>(store: Store, operation: () => Operation<T>): Promise<T> => store.transact(operation);

test('the next process continues the stored counters', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'candlekeep-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (let start = 1; start <= 3; start++) {
    const store = openSqliteStore({ path: join(directory, 'state.db'), migrations: [METRICS_1] });
    await act(store, () => addCounts([runs(1), runs(0, 'failed')]));
    await act(store, () =>
      observeDuration({ name: 'pipeline_run_duration_seconds', labels: { trigger: 'manual' }, value: 300 }),
    );
    await act(store, () => setGauges([{ name: 'pipeline_breaker_state', labels: { exchange: 'okx' }, value: start }]));
    const { samples, histograms } = await act(store, () => storedSamples());
    expect(samples).toEqual([
      { name: 'pipeline_breaker_state', labels: { exchange: 'okx' }, value: start },
      runs(start),
      runs(0, 'failed'),
    ]);
    expect(histograms).toEqual([
      {
        name: 'pipeline_run_duration_seconds',
        labels: { trigger: 'manual' },
        buckets: [0, 0, 0, 0, start, 0, 0],
        sum: 300 * start,
      },
    ]);
    store.close();
  }
});

test('an observation on a bound counts below it, one above all bounds counts in the last bucket', async () => {
  const store = openStore();
  for (const value of [...DURATION_BOUNDS_S, 901])
    await act(store, () =>
      observeDuration({ name: 'pipeline_run_duration_seconds', labels: { trigger: 'manual' }, value }),
    );
  expect((await act(store, () => storedSamples())).histograms[0]?.buckets).toEqual([1, 1, 1, 1, 1, 1, 1]);
});

test('the order of labels does not matter', async () => {
  const store = openStore();
  await act(store, () =>
    addCounts([
      { ...runs(1), labels: { trigger: 'schedule', asset: 'bronze_okx_ohlcv', outcome: 'complete' } },
      runs(1),
    ]),
  );
  expect((await act(store, () => storedSamples())).samples).toEqual([runs(2)]);
});

const REPORT: AssetReport = {
  asset: 'bronze_okx_ohlcv',
  outcome: 'partial',
  status: 'success',
  input_rows: 100,
  output_rows: 96,
  removed_rows: 4,
  removal_rate: 0.04,
  validation_errors: 4,
  validation_warnings: 0,
  symbols_ok: 9,
  symbols_failed: 1,
  errors: { 'BTC/USDT': 'NOT_FOUND' },
};

test('a run counts once per asset and with its duration; a healing run also counts as a healing attempt', () => {
  const end = {
    outcome: 'partial',
    assets: [
      REPORT,
      { ...REPORT, asset: 'silver_ohlcv_normalized', outcome: 'complete', removed_by_rule: { 'ohlc-order': 4 } },
    ],
    error: null,
  } as const;
  const { counts, gauges, duration } = runMetrics({ trigger: 'heal' }, end, 2_500);
  expect(counts.slice(0, 3).map(({ name, labels }) => [name, labels['asset'] ?? '', labels['outcome']])).toEqual([
    ['pipeline_runs_total', 'bronze_okx_ohlcv', 'partial'],
    ['pipeline_runs_total', 'silver_ohlcv_normalized', 'complete'],
    ['pipeline_heal_attempts_total', '', 'partial'],
  ]);
  expect(gauges.slice(0, 2)).toEqual([
    { name: 'pipeline_symbols', labels: { exchange: 'okx', asset: 'bronze_okx_ohlcv', state: 'ok' }, value: 9 },
    { name: 'pipeline_symbols', labels: { exchange: 'okx', asset: 'bronze_okx_ohlcv', state: 'failed' }, value: 1 },
  ]);
  expect(duration).toEqual({ name: 'pipeline_run_duration_seconds', labels: { trigger: 'heal' }, value: 2.5 });
  expect(counts.slice(3)).toEqual([
    { name: 'pipeline_rows_total', labels: {}, value: 100 },
    { name: 'pipeline_rows_removed_total', labels: { rule: 'ohlc-order' }, value: 4 },
  ]);
  expect(runMetrics({ trigger: 'schedule' }, end, 2_500).counts.map(({ name }) => name)).not.toContain(
    'pipeline_heal_attempts_total',
  );
  expect(() => exposition([...counts, ...gauges, ...untouchedCounts('gold_huggingface_ohlcv')])).not.toThrow();
});

test('gaps are counted by reason, including zeros', () => {
  const total = {
    exchange: 'okx',
    interval: '1h',
    symbols: 1,
    cells: 1,
    firstDay: '2024-01-01',
    lastDay: '2024-01-01',
    expected: 24,
    present: 20,
    no_trades: 3,
    outage: 0,
    quarantined: 0,
    pending: 1,
  } as const;
  expect(gapMetrics([total]).map(({ labels, value }) => [labels['reason'], value])).toEqual([
    ['no_trades', 3],
    ['outage', 0],
    ['quarantined', 0],
    ['pending', 1],
  ]);
});

test('a daily candle is late only after the next one has closed and its grace has passed', () => {
  const watermark = {
    exchange: 'binance',
    interval: '1d',
    newestOpenMs: Date.UTC(2024, 6, 1),
    graceMs: 5_000,
  } as const;
  const nextClosesMs = Date.UTC(2024, 6, 3);
  expect(latenessMs(watermark, nextClosesMs - 1)).toBe(0);
  expect(latenessMs(watermark, nextClosesMs + 5_000)).toBe(0);
  expect(latenessMs(watermark, nextClosesMs + 5_000 + 2 * HOUR_MS)).toBe(2 * HOUR_MS);
  expect(latenessMs({ ...watermark, newestOpenMs: null }, nextClosesMs)).toBeNull();
});

test('lateness of a venue that is down grows with the outage', () => {
  const watermark = { exchange: 'binance', interval: '1h', newestOpenMs: Date.UTC(2024, 6, 1, 9), graceMs: 0 } as const;
  expect(latenessMs(watermark, Date.UTC(2024, 6, 1, 16))).toBe(5 * HOUR_MS);
  expect(
    watermarkMetrics([watermark, { ...watermark, newestOpenMs: null }], Date.UTC(2024, 6, 1, 16)).map(
      ({ name, value }) => [name, value],
    ),
  ).toEqual([
    ['pipeline_data_lateness_seconds', 18_000],
    ['pipeline_data_last_candle_timestamp_seconds', Date.UTC(2024, 6, 1, 9) / 1_000],
  ]);
});

test('the state of a rule is stored per subject and shows in its metric', async () => {
  const store = openStore();
  const evaluate = (value: number | null, subject = 'okx') =>
    act(store, () => evaluateMeasurements([{ rule: 'RULE_FAILED_SYMBOLS', subject, value }], 1));
  const levels: (string | null | undefined)[] = [];
  for (const value of [0.2, 0.2, null, 0, 0]) levels.push((await evaluate(value))[0]?.after.level);
  expect(levels).toEqual([null, 'warning', 'warning', 'warning', null]);
  await evaluate(0.5, 'binance');
  expect((await evaluate(0.5, 'binance'))[0]).toMatchObject({
    before: { level: null, bad: 1 },
    after: { level: 'warning', bad: 2 },
  });
  expect((await act(store, () => ruleMetrics())).filter(({ value }) => value === 1)).toEqual([
    { name: 'pipeline_rule_firing', labels: { rule: 'RULE_FAILED_SYMBOLS' }, value: 1 },
  ]);
});
