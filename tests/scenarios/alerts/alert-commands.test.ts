import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { commandHarness } from '../../support/command-line/command-harness.ts';

const DAY = ['--start', '2024-06-01', '--end', '2024-06-01'];
test('alerts test sends a labelled test and its end through every channel and reports the delivery', async () => {
  const { json, slack, pagerduty } = await commandHarness();
  expect(await json('alerts', 'test', '--level', 'error')).toMatchObject({
    ok: true,
    exit: 0,
    items: [
      { channel: 'pagerduty', delivered: true },
      {
        channel: 'slack',
        delivered: true,
        messages: [
          { kind: 'trigger', state: 'sent' },
          { kind: 'resolve', state: 'sent' },
        ],
      },
    ],
  });
  expect(slack.received.map(({ message }) => message.text)).toEqual([
    '[ERROR] Test of the channel slack',
    '[RESOLVED] Test of the channel slack',
  ]);
  expect(pagerduty.open().size).toBe(0);
});

test('alerts test exits with 8 and the reason when a channel fails; data commands keep their exit code', async () => {
  const { run, json, pagerduty } = await commandHarness(
    {},
    { slackPlan: { seed: 'gone', rules: [{ on: { every: 1 }, fault: { kind: 'status', status: 404 } }] } },
  );
  expect(await run('alerts', 'test', '--channel', 'slack')).toMatchObject({
    exit: 8,
    out: expect.stringContaining('slack answered 404') as string,
  });
  expect(await run('backfill', ...DAY)).toMatchObject({ exit: 4 });
  expect(pagerduty.received.length).toBeGreaterThan(0); // in place of Slack
  expect(await json('alerts', 'outbox')).toMatchObject({
    channels: [
      { name: 'pagerduty', state: 'up' },
      { name: 'slack', state: 'down', error: expect.stringContaining('slack answered 404') as string },
    ],
  });
  expect((await run('doctor')).out).toMatch(/^fail {2}slack/m);
});

test('a cause is listed, acknowledged, silenced and unsilenced, each with the name of the person', async () => {
  const { run, json, slack } = await commandHarness();
  expect(await run('backfill', ...DAY)).toMatchObject({ exit: 4 });
  expect(slack.received.map(({ message }) => message.text)).toEqual([
    expect.stringMatching(/^\[ERROR\] FORBIDDEN at binance/),
  ]);
  const fingerprint = 'binance/FORBIDDEN/bronze_binance_ohlcv';
  expect(await json('alerts', 'list')).toMatchObject({
    schema: 1,
    items: [
      { fingerprint, level: 'error', acked_by: null, silence: null, run_id: expect.stringMatching(/^run_/) as string },
    ],
    silences: [],
  });
  expect((await run('alerts', 'ack', fingerprint)).out).toContain('is acknowledged');
  expect(await json('alerts', 'list')).toMatchObject({ items: [{ acked_by: 'ann' }] });
  const silence = await json('alerts', 'silence', '--exchange', 'binance', '--for', '2h', '--reason', 'known');
  expect(await json('alerts', 'list')).toMatchObject({
    items: [{ silence: silence['id'] }],
    silences: [{ reason: 'known', author: 'ann', exchange: 'binance' }],
  });
  expect((await run('alerts', 'list')).out).toContain(`silence ${String(silence['id'])} until`);
  expect(await run('alerts', 'silence', '--end', String(silence['id']))).toMatchObject({ exit: 0 });
  expect(await run('alerts', 'silence', '--end', String(silence['id']))).toMatchObject({ exit: 2 });
  expect((await run('alerts', 'list', '--history')).out).toMatch(
    /unsilenced +ann[^]*silenced +ann[^]*acknowledged +ann[^]*sent +slack[^]*fired/,
  );
  expect((await run('status')).out).toContain(`alerts   [ERROR] ${fingerprint}`);
});

test('metrics prints the counts of all earlier commands', async () => {
  const { run } = await commandHarness();
  await run('backfill', ...DAY);
  const { exit, out } = await run('metrics');
  expect(exit).toBe(0);
  expect(out).toContain('pipeline_runs_total{asset="bronze_binance_ohlcv",outcome="failed",trigger="backfill"} 1\n');
  expect(out).toContain('pipeline_alert_deliveries_total{channel="slack",outcome="sent"} 1\n');
});

test('metrics write generates files with the address on which start listens', async () => {
  const { cwd, run } = await commandHarness({ CANDLEKEEP_LISTEN: '127.0.0.1:5000' });
  expect(await run('metrics', 'write', 'out', '--time-scale', '60')).toMatchObject({ exit: 0, err: '' });
  expect(
    readdirSync(join(cwd, 'out'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.includes('.'))
      .toSorted(),
  ).toEqual([
    'alertmanager/alertmanager.example.yml',
    'grafana/dashboard.json',
    'prometheus/prometheus.example.yml',
    'prometheus/rules.yml',
  ]);
  expect(readFileSync(join(cwd, 'out/prometheus/prometheus.example.yml'), 'utf8')).toContain('- "127.0.0.1:5000"');
  expect(readFileSync(join(cwd, 'out/prometheus/rules.yml'), 'utf8')).toContain(
    '(max by (exchange) (pipeline_data_lateness_seconds)) > 120',
  );
});

test('doctor finds a damaged state before a run does', async () => {
  const { cwd, run } = await commandHarness();
  await run('backfill', ...DAY);
  const path = join(cwd, 'candlekeep-data/state.db');
  const database = new DatabaseSync(path);
  const { rootpage } = database.prepare("select rootpage from sqlite_schema where name = 'runs_by_time'").get() as {
    rootpage: number;
  };
  database.exec('pragma wal_checkpoint(truncate)');
  database.close();
  const bytes = readFileSync(path);
  bytes.fill(0xff, (rootpage - 1) * 4_096 + 8, rootpage * 4_096);
  writeFileSync(path, bytes);
  expect(await run('doctor')).toMatchObject({
    exit: 2,
    out: expect.stringMatching(/^fail {2}state .*damaged/m) as string,
  });
});
