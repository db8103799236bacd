import { metrics, trace } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, expect, test } from 'vitest';
import { openTelemetry } from './open-telemetry.ts';
import { seededRandom } from '../seeded-random.ts';
import { redactorOf } from '../redaction.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { VirtualClock } from '../../../tests/support/virtual/virtual-clock.ts';

const SECRET = 'hf_nobody_may_see_this';
/** Before the process started: as a number, the SDK would read it as a time of its own clock. */
const START_MS = Date.UTC(2024, 5, 1);
const clock = new VirtualClock({ random: seededRandom('telemetry'), startMs: START_MS });
const telemetry: Telemetry = openTelemetry({
  clock,
  redact: redactorOf([SECRET]),
  codeOf: (error) => (error instanceof RangeError ? 'DEFECT' : null),
});

class OnDemand extends MetricReader {
  protected override onShutdown = (): Promise<void> => Promise.resolve();
  protected override onForceFlush = (): Promise<void> => Promise.resolve();
}

function registered(): { readonly spans: InMemorySpanExporter; readonly reader: MetricReader } {
  const spans = new InMemorySpanExporter();
  const reader = new OnDemand();
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }));
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  return { spans, reader };
}

afterEach(() => {
  trace.disable();
  metrics.disable();
});

test('spans are nested, timed by our clock, and carry facts, events and the code of a failure', async () => {
  const { spans } = registered();
  await clock.runUntil(
    telemetry.trace.span('outer', { run: 'run_1' }, async (outer) => {
      await outer.span('inner', { tries: 2 }, async (inner) => {
        await clock.sleep(1_500);
        inner.event('attempt failed', { code: 'REQUEST_TIMEOUT' });
        inner.fail('REQUEST_TIMEOUT');
      });
    }),
  );
  const [inner, outer] = spans.getFinishedSpans();
  expect({
    name: inner?.name,
    in: inner?.parentSpanContext?.spanId,
    status: inner?.status,
    attributes: inner?.attributes,
    start: inner?.startTime,
    duration: inner?.duration,
  }).toEqual({
    name: 'inner',
    in: outer?.spanContext().spanId,
    status: { code: 2, message: 'REQUEST_TIMEOUT' },
    attributes: { 'candlekeep.tries': 2, 'error.type': 'REQUEST_TIMEOUT' },
    start: [START_MS / 1_000, 0],
    duration: [1, 500_000_000],
  });
  expect(inner?.events).toMatchObject([
    {
      name: 'attempt failed',
      time: [START_MS / 1_000 + 1, 500_000_000],
      attributes: { 'candlekeep.code': 'REQUEST_TIMEOUT' },
    },
  ]);
  expect(outer).toMatchObject({
    name: 'outer',
    attributes: { 'candlekeep.run': 'run_1' },
    status: { code: 0 },
    duration: [1, 500_000_000],
  });
});

test('an error is rethrown and recorded by its code; a cancellation is no failure', async () => {
  const { spans } = registered();
  const defect = new RangeError('ours');
  await expect(telemetry.trace.span('defect', {}, () => Promise.reject(defect))).rejects.toBe(defect);
  await expect(telemetry.trace.span('wish', {}, () => Promise.reject(new Error('stop')))).rejects.toThrow('stop');
  expect(
    spans.getFinishedSpans().map(({ name, status, attributes }) => ({ name, code: status.code, attributes })),
  ).toEqual([
    { name: 'defect', code: 2, attributes: { 'error.type': 'DEFECT' } },
    { name: 'wish', code: 0, attributes: {} },
  ]);
});

test('no secret is exported in a span, an event or a label', async () => {
  const { spans, reader } = registered();
  await telemetry.trace.span('asked', { from: `https://hub.test/?token=${SECRET}` }, async (span) =>
    span.event('seen', { header: `Bearer ${SECRET}` }),
  );
  telemetry.observe([{ name: 'things', kind: 'gauge', help: 'Things.' }], async () => [
    { name: 'things', labels: { place: SECRET }, value: 1 },
  ]);
  const exported = JSON.stringify([
    spans.getFinishedSpans().map(({ attributes, events }) => [attributes, events]),
    (await reader.collect()).resourceMetrics,
  ]);
  expect(exported).not.toContain(SECRET);
  expect(exported).toContain('Bearer ********');
});

test('values are read at each collection until the observation ends', async () => {
  const { reader } = registered();
  let reads = 0;
  const end = telemetry.observe([{ name: 'reads_total', kind: 'counter', help: 'Reads.' }], async () => [
    { name: 'reads_total', labels: {}, value: ++reads },
    { name: 'unknown', labels: {}, value: 1 },
  ]);
  const seen = async (): Promise<unknown[]> =>
    (await reader.collect()).resourceMetrics.scopeMetrics.flatMap((scope) =>
      scope.metrics.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        descriptor.description,
        dataPoints[0]?.value,
      ]),
    );
  expect(await seen()).toEqual([['reads_total', 'Reads.', 1]]);
  expect(await seen()).toEqual([['reads_total', 'Reads.', 2]]);
  end();
  await seen();
  expect(reads).toBe(2);
});

test('without an SDK the work runs and nothing is exported', async () => {
  const read = (): Promise<never> => Promise.reject(new Error('nobody collects'));
  telemetry.observe([{ name: 'things', kind: 'gauge', help: 'Things.' }], read)();
  expect(
    await telemetry.trace.span('alone', { run: 'run_1' }, async (span) => {
      span.event('seen', {});
      span.fail('DEFECT');
      return span.span('below', {}, () => Promise.resolve('done'));
    }),
  ).toBe('done');
});
