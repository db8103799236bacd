import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { realClock } from '../../src/platform/node/system-clock.ts';
import { METRIC_NAMES } from '../../src/metrics/families.ts';
import { realFiles } from '../../src/platform/node/disk-files.ts';
import { jsonReply } from '../../src/simulation/stand-ins/reply.ts';
import { serveOnLoopback } from '../../src/simulation/loopback.ts';
import { standInBinance } from '../../src/simulation/stand-ins/stand-in-binance.ts';
import { loadRecordings } from '../../src/simulation/recordings.ts';
import { installed } from './debian.ts';
import { freePort } from './free-port.ts';

const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'src/cli/main.ts');

beforeAll(() =>
  installed({
    prometheus: ['prometheus', 'promtool'],
    'prometheus-alertmanager': ['prometheus-alertmanager', 'amtool'],
  }),
);

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'candlekeep-monitoring-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const tool = (name: string, ...args: readonly string[]): string =>
  execFileSync(name, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const written = (cwd: string, ...args: readonly string[]): void =>
  void execFileSync(process.execPath, [MAIN, 'metrics', 'write', '.', ...args], { cwd });

function started(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): ChildProcess {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'ignore'] });
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  return child;
}

test('promtool and amtool accept the files of metrics write; every rule fires and resolves in its unit test', () => {
  const cwd = directory();
  written(cwd);
  expect(tool('promtool', 'check', 'rules', join(cwd, 'prometheus/rules.yml'))).toContain('SUCCESS');
  expect(tool('promtool', 'test', 'rules', join(cwd, 'prometheus/rules_test.yml'))).toContain('SUCCESS');
  expect(
    tool('promtool', 'check', 'config', '--syntax-only', join(cwd, 'prometheus/prometheus.example.yml')),
  ).toContain('SUCCESS');
  expect(tool('amtool', 'check-config', join(cwd, 'alertmanager/alertmanager.example.yml'))).toContain('SUCCESS');
  const route = (severity: string): string =>
    tool(
      'amtool',
      'config',
      'routes',
      'test',
      `--config.file=${join(cwd, 'alertmanager/alertmanager.example.yml')}`,
      `severity=${severity}`,
    ).trim();
  expect(['critical', 'error', 'warning'].map(route)).toEqual(['pager', 'errors', 'warnings']);
});

test('promtool fails a unit test with a wrong expectation', () => {
  const cwd = directory();
  written(cwd);
  const path = join(cwd, 'prometheus/rules_test.yml');
  writeFileSync(path, readFileSync(path, 'utf8').replace('severity: "critical"', 'severity: "mild"'));
  expect(() => tool('promtool', 'test', 'rules', path)).toThrow('Command failed');
});

test('start is scraped, a rule fires, Alertmanager notifies a webhook; dashboard expressions are valid', async () => {
  const cwd = directory();
  const venue = standInBinance({
    world: loadRecordings(realFiles, join(ROOT, 'recordings/binance')),
    plan: {
      seed: 'chain',
      rules: [{ match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'status', status: 404 } }],
    },
  });
  const exchange = await serveOnLoopback(venue.handle, { clock: realClock });
  const notifications: { path: string; body: string }[] = [];
  const webhook = await serveOnLoopback(
    ({ path, body }) => {
      notifications.push({ path, body: Buffer.from(body).toString('utf8') });
      return jsonReply(200, {});
    },
    { clock: realClock },
  );
  onTestFinished(async () => void (await Promise.all([exchange.close(), webhook.close()])));

  const keeper = started(process.execPath, [MAIN, 'start', '--json'], {
    cwd,
    env: {
      ...process.env,
      CANDLEKEEP_BINANCE_URL: exchange.url,
      CANDLEKEEP_LISTEN: '127.0.0.1:0',
      LOG_LEVEL: 'silent',
    },
  });
  const { url, token_file } = await firstDocument(keeper);
  expect(await fetch(`${url}/metrics`)).toMatchObject({ status: 401 });
  expect(await fetch(`${url}/healthz`)).toMatchObject({ status: 200 });
  const page = await (
    await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${readFileSync(token_file, 'utf8')}` } })
  ).text();
  writeFileSync(join(cwd, 'page.prom'), page);
  execFileSync('sh', ['-c', 'promtool check metrics < page.prom'], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });

  written(cwd, '--time-scale', '60');
  const [prometheusPort, alertmanagerPort] = [await freePort(), await freePort()];
  const replace = (path: string, from: string, to: string): void =>
    writeFileSync(join(cwd, path), readFileSync(join(cwd, path), 'utf8').replaceAll(from, to));
  replace('prometheus/prometheus.example.yml', '127.0.0.1:4680', new URL(url).host);
  replace('prometheus/prometheus.example.yml', '127.0.0.1:9093', `127.0.0.1:${alertmanagerPort}`);
  replace('alertmanager/alertmanager.example.yml', 'http://127.0.0.1:9094', webhook.url);
  copyFileSync(token_file, join(cwd, 'prometheus/http-token'));
  started(
    'prometheus-alertmanager',
    [
      '--config.file=alertmanager/alertmanager.example.yml',
      '--storage.path=alertmanager-data',
      `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
      '--cluster.listen-address=',
    ],
    { cwd },
  );
  started(
    'prometheus',
    [
      '--config.file=prometheus/prometheus.example.yml',
      '--storage.tsdb.path=prometheus-data',
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
    ],
    { cwd },
  );

  const fired = await until(() => notifications.find(({ body }) => body.includes('"alertname":"RULE_FAILED_SYMBOLS"')));
  expect(fired.path).toBe('/warnings');
  expect(JSON.parse(fired.body)).toMatchObject({
    status: 'firing',
    alerts: expect.arrayContaining([
      expect.objectContaining({
        labels: expect.objectContaining({ exchange: 'binance', severity: 'warning' }) as unknown,
      }),
    ]) as unknown,
  });

  const expressions = [
    ...readFileSync(join(cwd, 'grafana/dashboard.json'), 'utf8').matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g),
  ].map(([, text = '']) => JSON.parse(`"${text}"`) as string);
  expect(expressions.length).toBeGreaterThan(10);
  for (const expression of expressions) {
    const response = (await (
      await fetch(`http://127.0.0.1:${prometheusPort}/api/v1/query?query=${encodeURIComponent(expression)}`)
    ).json()) as { status: string };
    expect(response.status, expression).toBe('success');
    for (const [name] of expression.matchAll(/pipeline_\w+/g))
      expect(METRIC_NAMES, expression).toContain(name.replace(/_(?:bucket|sum|count)$/, ''));
  }
});

async function firstDocument(child: ChildProcess): Promise<{ readonly url: string; readonly token_file: string }> {
  let text = '';
  // Keeps reading to the end: a closed pipe would end the process.
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const line = await until(() => (text.includes('\n') ? text.split('\n')[0] : undefined));
  const document = JSON.parse(line) as { type: string; url: string; token_file: string };
  expect(document.type).toBe('listening');
  return document;
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (let waits = 0; waits < 600; waits++) {
    const seen = look();
    if (seen !== undefined) return seen;
    await realClock.sleep(100);
  }
  throw new Error('nothing within a minute');
}
