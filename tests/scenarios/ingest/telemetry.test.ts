import { metrics, trace } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { beforeEach, expect, test } from 'vitest';
import { runDaemon } from '../../../src/engine/daemon/daemon.ts';
import { metricsPage } from '../../../src/engine/monitoring/metrics-page.ts';
import { CancelledError } from '../../../src/errors/classify.ts';
import { METRIC_NAMES } from '../../../src/metrics/families.ts';
import { daemonWork, simulate, type Simulation } from '../../support/simulated.ts';

class OnDemand extends MetricReader {
  protected override onShutdown = (): Promise<void> => Promise.resolve();
  protected override onForceFlush = (): Promise<void> => Promise.resolve();
}

const spans = new InMemorySpanExporter();
const reader = new OnDemand();
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }));
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
beforeEach(() => spans.reset());

const DAY = { start: '2024-06-10', end: '2024-06-10' };
const named = (name: string): ReadableSpan[] => spans.getFinishedSpans().filter((span) => span.name === name);
const parentOf = (span: ReadableSpan): ReadableSpan | undefined =>
  spans.getFinishedSpans().find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId);

test('a run is a span, above spans of its assets and pages; failed attempts are events', async () => {
  const harness = await simulate({
    seed: 'spans',
    symbols: ['BTC/USDT', 'ETH/USDT'],
    interval: '1h',
    plan: {
      seed: 'spans',
      rules: [{ match: { symbol: 'ETHUSDT' }, on: { nth: [1, 2] }, fault: { kind: 'status', status: 502 } }],
    },
  });
  const {
    runs: [run],
  } = await harness.run({ days: DAY });
  expect(named('run').map(({ attributes, status }) => ({ attributes, status }))).toEqual([
    {
      attributes: {
        'candlekeep.run': run?.id,
        'candlekeep.interval': '1h',
        'candlekeep.partition': DAY.start,
        'candlekeep.partition_end': DAY.end,
        'candlekeep.trigger': 'manual',
      },
      status: { code: 0 },
    },
  ]);
  for (const name of ['bronze_binance_ohlcv', 'silver_ohlcv_normalized'])
    expect(named(name).map((span) => parentOf(span)?.name)).toEqual(['run']);
  const pages = named('page');
  expect(new Set(pages.map((span) => parentOf(span)?.name))).toEqual(new Set(['bronze_binance_ohlcv']));
  const eth = pages.find(({ attributes }) => attributes['candlekeep.symbol'] === 'ETH/USDT');
  expect(eth?.attributes).toEqual({
    'candlekeep.run': run?.id,
    'candlekeep.exchange': 'binance',
    'candlekeep.symbol': 'ETH/USDT',
    'candlekeep.interval': '1h',
    'candlekeep.from': '2024-06-10T00:00:00.000Z',
    'candlekeep.to': '2024-06-11T00:00:00.000Z',
  });
  expect(
    eth?.events.map(({ name, attributes }) => [
      name,
      attributes?.['candlekeep.code'],
      attributes?.['candlekeep.request'],
      attributes?.['candlekeep.decision'],
    ]),
  ).toEqual([
    ['attempt failed', 'EXCHANGE_SERVER_ERROR', 1, 'retry'],
    ['attempt failed', 'EXCHANGE_SERVER_ERROR', 2, 'retry'],
  ]);
  expect(new Set(spans.getFinishedSpans().map((span) => span.spanContext().traceId)).size).toBe(1);
});

test('failed pages, assets and runs are spans in error with their code', async () => {
  const harness = await simulate({
    seed: 'failed',
    symbols: ['BTC/USDT'],
    interval: '1h',
    plan: {
      seed: 'failed',
      rules: [
        { match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'status', status: 403, body: 'html' } },
      ],
    },
  });
  await harness.run({ days: DAY });
  for (const name of ['page', 'bronze_binance_ohlcv', 'run'])
    expect(
      named(name).map(({ status, attributes }) => [status.code, attributes['error.type']]),
      name,
    ).toEqual([[2, 'FORBIDDEN']]);
});

/** Every value of the page by name and labels. */
const valuesOf = (page: string): ReadonlyMap<string, number> =>
  new Map(
    page
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .map((line) => {
        const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
        return [
          keyOf(
            name,
            Object.fromEntries(
              [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', text = '']) => [label, text]),
            ),
          ),
          Number(value),
        ] as const;
      }),
  );
const keyOf = (name: string, labels: Readonly<Record<string, unknown>>): string =>
  `${name} ${JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;

async function collected({ clock }: Simulation): Promise<ReadonlyMap<string, number>> {
  const { resourceMetrics, errors } = await clock.runUntil(reader.collect());
  expect(errors).toEqual([]);
  return new Map(
    resourceMetrics.scopeMetrics.flatMap(({ metrics: own }) =>
      own.flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => [keyOf(descriptor.name, attributes), Number(value)] as const),
      ),
    ),
  );
}

test('a collection of the running daemon equals its Prometheus page; after its end nothing is collected', async () => {
  const harness = await simulate({
    seed: 'observed',
    symbols: ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'],
    interval: '1h',
    startMs: Date.UTC(2024, 5, 10, 10, 30),
  });
  const { pipeline, clock } = harness;
  const stop = new AbortController();
  const work = daemonWork(pipeline);
  let attempts = 0;
  const watched = (): ReturnType<typeof work.watched> => (attempts++, work.watched());
  const running = runDaemon(pipeline, { ...work, watched }, { signal: stop.signal, onProgress: () => undefined });
  await clock.runUntil(clock.sleep(10 * 60_000));
  const page = valuesOf(await clock.runUntil(metricsPage(pipeline, pipeline.settings.markets)));
  const seen = await collected(harness);
  expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(page));
  expect(METRIC_NAMES.filter((name) => ![...seen.keys()].some((key) => key.startsWith(name)))).toEqual(
    METRIC_NAMES.filter((name) => ![...page.keys()].some((key) => key.startsWith(name))),
  );
  expect(
    [...seen.keys()].filter((key) => key.startsWith('pipeline_run_duration_seconds_bucket')).length,
  ).toBeGreaterThan(0);
  stop.abort(new CancelledError('SIGTERM'));
  await clock.runUntil(running);
  const looked = attempts;
  await collected(harness);
  expect(attempts).toBe(looked);
});
