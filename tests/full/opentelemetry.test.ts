import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { realClock } from '../../src/platform/node/system-clock.ts';
import { realFiles } from '../../src/platform/node/disk-files.ts';
import { serveOnLoopback } from '../../src/simulation/loopback.ts';
import { jsonReply, type StandInRequest } from '../../src/simulation/stand-ins/reply.ts';
import { standInBinance } from '../../src/simulation/stand-ins/stand-in-binance.ts';
import { loadRecordings } from '../../src/simulation/recordings.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Value {
  readonly stringValue?: string;
  readonly intValue?: number;
  readonly doubleValue?: number;
}
interface Attribute {
  readonly key: string;
  readonly value: Value;
}
interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number };
}
interface OtlpMetric {
  readonly name: string;
  readonly sum?: { readonly isMonotonic: boolean; readonly dataPoints: readonly unknown[] };
  readonly gauge?: { readonly dataPoints: readonly unknown[] };
}
interface Resource {
  readonly resource: { readonly attributes: readonly Attribute[] };
}
type Traces = {
  readonly resourceSpans: readonly (Resource & {
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  })[];
};
type Metrics = {
  readonly resourceMetrics: readonly (Resource & {
    readonly scopeMetrics: readonly { readonly metrics: readonly OtlpMetric[] }[];
  })[];
};

/** A collector that keeps every request, by path. */
async function collector() {
  const posted: StandInRequest[] = [];
  const server = await serveOnLoopback((request) => (posted.push(request), jsonReply(200, {})), { clock: realClock });
  onTestFinished(() => server.close());
  const bodies = <T>(path: string): T[] =>
    posted
      .filter((request) => request.path === path)
      .map(({ body }) => JSON.parse(Buffer.from(body).toString('utf8')) as T);
  return {
    url: server.url,
    posted,
    resources: (): readonly Attribute[] =>
      [
        ...bodies<Traces>('/v1/traces').flatMap(({ resourceSpans }) => resourceSpans),
        ...bodies<Metrics>('/v1/metrics').flatMap(({ resourceMetrics }) => resourceMetrics),
      ].flatMap(({ resource }) => resource.attributes),
    spans: () =>
      bodies<Traces>('/v1/traces')
        .flatMap(({ resourceSpans }) => resourceSpans)
        .flatMap(({ scopeSpans }) => scopeSpans)
        .flatMap(({ spans }) => spans),
    metrics: () =>
      bodies<Metrics>('/v1/metrics')
        .flatMap(({ resourceMetrics }) => resourceMetrics)
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics }) => metrics),
  };
}

/** A real process with the SDK of the example, as docs/metrics.md starts it. */
async function observed(url: string) {
  const world = loadRecordings(realFiles, join(ROOT, 'recordings/binance'));
  const venue = await serveOnLoopback(standInBinance({ world }).handle, { clock: realClock });
  const dataDir = mkdtempSync(join(tmpdir(), 'candlekeep-otel-'));
  onTestFinished(async () => {
    await venue.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const env = {
    ...process.env,
    NODE_OPTIONS: '--import ./examples/opentelemetry/otel.mjs',
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=token-of-the-collector',
    OTEL_SERVICE_NAME: 'candles',
    OTEL_METRIC_EXPORT_INTERVAL: '500',
    CANDLEKEEP_BINANCE_URL: venue.url,
    CANDLEKEEP_DATA_DIR: dataDir,
    CANDLEKEEP_LISTEN: '127.0.0.1:0',
    LOG_LEVEL: 'silent',
  };
  return (args: readonly string[]) => {
    const child = spawn(process.execPath, [join(ROOT, 'src/cli/main.ts'), ...args], {
      cwd: ROOT,
      env,
      stdio: 'ignore',
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', (exit) => resolve(exit)));
    return { child, ended };
  };
}

test('a command with a registered SDK sends its spans over OTLP before it ends', async () => {
  const seen = await collector();
  const start = await observed(seen.url);
  expect(
    await start(['backfill', '--start', '2024-06-01', '--end', '2024-06-02', '--symbol', 'BTC/USDT', '--json']).ended,
  ).toBe(0);
  const spans = seen.spans();
  const [run] = spans.filter(({ name }) => name === 'run');
  const [page] = spans.filter(({ name }) => name === 'page');
  const bronze = spans.find(({ spanId }) => spanId === page?.parentSpanId);
  expect(bronze).toMatchObject({ name: 'bronze_binance_ohlcv', parentSpanId: run?.spanId, traceId: run?.traceId });
  expect(page?.attributes).toContainEqual({ key: 'candlekeep.symbol', value: { stringValue: 'BTC/USDT' } });
  expect(seen.resources()).toContainEqual({ key: 'service.name', value: { stringValue: 'candles' } });
  expect(new Set(seen.posted.map(({ headers }) => headers['authorization']))).toEqual(
    new Set(['token-of-the-collector']),
  );
});

test('the daemon sends its metrics over OTLP, counters as sums that only grow', async () => {
  const seen = await collector();
  const { child, ended } = (await observed(seen.url))(['start']);
  while (!seen.metrics().some(({ name }) => name === 'pipeline_runs_total')) await realClock.sleep(50);
  child.kill('SIGTERM');
  expect(await ended).toBe(143);
  const byName = Map.groupBy(seen.metrics(), ({ name }) => name);
  expect(byName.get('pipeline_runs_total')?.[0]?.sum).toMatchObject({ isMonotonic: true });
  expect(byName.get('pipeline_breaker_state')?.[0]?.gauge?.dataPoints).toMatchObject([
    { asDouble: 0, attributes: [{ key: 'exchange', value: { stringValue: 'binance' } }] },
  ]);
});

test('an unreachable collector changes nothing', async () => {
  const start = await observed('http://127.0.0.1:9');
  expect(await start(['backfill', '--start', '2024-06-01', '--end', '2024-06-01', '--json']).ended).toBe(0);
});
