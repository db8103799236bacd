import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { realClock } from '../../src/kernel/clock.ts';
import { NO_FAULTS, type FaultPlan } from '../../src/rehearsal/fault-plan.ts';
import { serveOnLoopback } from '../../src/rehearsal/loopback.ts';
import type { StandInHandler } from '../../src/rehearsal/reply.ts';
import { standInBinance } from '../../src/rehearsal/stand-in-binance.ts';
import { standInPagerDuty } from '../../src/rehearsal/stand-in-pagerduty.ts';
import { standInSlack } from '../../src/rehearsal/stand-in-slack.ts';
import { candlekeep, directory, documentIn } from '../command-line.ts';
import { TAPES } from './rehearsed.ts';

const DAY = ['--start', '2024-06-01', '--end', '2024-06-01'];
const KEY = 'k'.repeat(32);

const served = async (handle: StandInHandler): Promise<string> => {
  const server = await serveOnLoopback(handle, { clock: realClock });
  onTestFinished(() => server.close());
  return server.url;
};

/** A data directory, an exchange that forbids everything, Slack and PagerDuty over real sockets. */
async function stage(env: Readonly<Record<string, string>> = {}, slackPlan: FaultPlan = NO_FAULTS) {
  const venue = standInBinance({ world: TAPES, plan: { seed: 'x', rules: [{ match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'status', status: 403, body: 'html' } }] } });
  const [slack, pagerduty] = [standInSlack({ plan: slackPlan }), standInPagerDuty({ routingKey: KEY })];
  const cwd = directory();
  const call = {
    cwd, env: { CANDLEKEEP_BINANCE_URL: await served(venue.handle), CANDLEKEEP_SYMBOLS: 'BTC/USDT', SLACK_WEBHOOK_URL: `${await served(slack.handle)}/services/T0/B0/secret`, PAGERDUTY_ROUTING_KEY: KEY, PAGERDUTY_EVENTS_URL: `${await served(pagerduty.handle)}/v2/enqueue`, USER: 'ann', ...env },
  };
  const run = (...args: readonly string[]) => candlekeep(args, call);
  return { cwd, slack, pagerduty, venue, run, json: async (...args: readonly string[]) => documentIn((await run(...args, '--json')).out) };
}

test('alerts test sends a labelled test and its end through every channel and says what became of them', async () => {
  const { json, slack, pagerduty } = await stage();
  expect(await json('alerts', 'test', '--level', 'error')).toMatchObject({ ok: true, exit: 0, items: [{ channel: 'pagerduty', delivered: true }, { channel: 'slack', delivered: true, messages: [{ kind: 'trigger', state: 'sent' }, { kind: 'resolve', state: 'sent' }] }] });
  expect(slack.received.map(({ message }) => message.text)).toEqual(['[ERROR] Test of the channel slack', '[RESOLVED] Test of the channel slack']);
  expect(pagerduty.open().size).toBe(0);
});

test('alerts test ends with 8 and the reason when a channel does not deliver, and data commands keep their exit code', async () => {
  const { run, json, pagerduty } = await stage({}, { seed: 'gone', rules: [{ on: { every: 1 }, fault: { kind: 'status', status: 404 } }] });
  expect(await run('alerts', 'test', '--channel', 'slack')).toMatchObject({ exit: 8, out: expect.stringContaining('slack answered 404') as string });
  expect(await run('backfill', ...DAY)).toMatchObject({ exit: 4 });
  expect(pagerduty.received.length).toBeGreaterThan(0); // told in Slack's place
  expect(await json('alerts', 'outbox')).toMatchObject({ channels: [{ name: 'pagerduty', state: 'up' }, { name: 'slack', state: 'down', error: expect.stringContaining('slack answered 404') as string }] });
  expect((await run('doctor')).out).toMatch(/^fail {2}slack/m);
});

test('a cause is listed, acknowledged, silenced and let speak again, with who did it', async () => {
  const { run, json, slack } = await stage();
  expect(await run('backfill', ...DAY)).toMatchObject({ exit: 4 });
  expect(slack.received.map(({ message }) => message.text)).toEqual([expect.stringMatching(/^\[ERROR\] FORBIDDEN at binance/)]);
  const fingerprint = 'binance/FORBIDDEN/bronze_binance_ohlcv';
  expect(await json('alerts', 'list')).toMatchObject({ schema: 1, items: [{ fingerprint, level: 'error', acked_by: null, silence: null, run_id: expect.stringMatching(/^run_/) as string }], silences: [] });
  expect((await run('alerts', 'ack', fingerprint)).out).toContain('is acknowledged');
  expect(await json('alerts', 'list')).toMatchObject({ items: [{ acked_by: 'ann' }] });
  const silence = await json('alerts', 'silence', '--exchange', 'binance', '--for', '2h', '--reason', 'known');
  expect(await json('alerts', 'list')).toMatchObject({ items: [{ silence: silence['id'] }], silences: [{ reason: 'known', author: 'ann', exchange: 'binance' }] });
  expect((await run('alerts', 'list')).out).toContain(`silence ${String(silence['id'])} until`);
  expect(await run('alerts', 'silence', '--end', String(silence['id']))).toMatchObject({ exit: 0 });
  expect(await run('alerts', 'silence', '--end', String(silence['id']))).toMatchObject({ exit: 2 });
  expect((await run('alerts', 'list', '--history')).out).toMatch(/unsilenced +ann[^]*silenced +ann[^]*acknowledged +ann[^]*sent +slack[^]*fired/);
  expect((await run('status')).out).toContain(`alerts   [ERROR] ${fingerprint}`);
});

test('metrics prints what all commands before counted', async () => {
  const { run } = await stage();
  await run('backfill', ...DAY);
  const { exit, out } = await run('metrics');
  expect(exit).toBe(0);
  expect(out).toContain('pipeline_runs_total{asset="bronze_binance_ohlcv",outcome="failed",trigger="backfill"} 1\n');
  expect(out).toContain('pipeline_alert_deliveries_total{channel="slack",outcome="sent"} 1\n');
});

test('metrics write puts files there that say where start listens', async () => {
  const { cwd, run } = await stage({ CANDLEKEEP_LISTEN: '127.0.0.1:5000' });
  expect(await run('metrics', 'write', 'out', '--time-scale', '60')).toMatchObject({ exit: 0, err: '' });
  expect(readdirSync(join(cwd, 'out'), { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.')).toSorted()).toEqual(['alertmanager/alertmanager.example.yml', 'grafana/dashboard.json', 'prometheus/prometheus.example.yml', 'prometheus/rules.yml']);
  expect(readFileSync(join(cwd, 'out/prometheus/prometheus.example.yml'), 'utf8')).toContain('- "127.0.0.1:5000"');
  expect(readFileSync(join(cwd, 'out/prometheus/rules.yml'), 'utf8')).toContain('(max by (exchange) (pipeline_data_lateness_seconds)) > 120');
});

test('doctor finds a damaged state before a run does', async () => {
  const { cwd, run } = await stage();
  await run('backfill', ...DAY);
  const path = join(cwd, 'candlekeep-data/state.db');
  const database = new DatabaseSync(path);
  const { rootpage } = database.prepare("select rootpage from sqlite_schema where name = 'runs_by_time'").get() as { rootpage: number };
  database.exec('pragma wal_checkpoint(truncate)');
  database.close();
  const bytes = readFileSync(path);
  bytes.fill(0xff, (rootpage - 1) * 4_096 + 8, rootpage * 4_096);
  writeFileSync(path, bytes);
  expect(await run('doctor')).toMatchObject({ exit: 2, out: expect.stringMatching(/^fail {2}state .*damaged/m) as string });
});

test('planted secrets are in no output of any command, in no file and in nothing that is sent', async () => {
  const secret = 'sEcReTvAlUe-0123456789';
  const { cwd, run, slack, venue } = await stage({ HF_TOKEN: `hf_${secret}`, CANDLEKEEP_HF_REPO: 'own/candles', HF_ENDPOINT: 'http://127.0.0.1:9', ALERT_WEBHOOK_URL: `http://127.0.0.1:9/${secret}`, ALERT_WEBHOOK_SECRET: secret, HEARTBEAT_URL: `http://127.0.0.1:9/ping/${secret}`, CANDLEKEEP_TOKEN: secret, SMTP_URL: `smtp://me:${secret}@127.0.0.1:9`, ALERT_EMAIL_TO: 'a@b.test', CANDLEKEEP_TAGS: `note=${secret}`, LOG_LEVEL: 'silent' });
  const outputs: string[] = [];
  for (const args of [['config', 'show'], ['config', 'validate'], ['doctor'], ['backfill', ...DAY, '--asset', 'bronze,silver'], ['runs', 'list'], ['alerts', 'list'], ['alerts', 'outbox'], ['alerts', 'test', '--channel', 'slack'], ['metrics'], ['status'], ['explain', secret], ['symbols', 'disable', 'BTC/USDT', '--reason', secret]]) {
    for (const more of [[], ['--json'], ['-v']]) outputs.push(JSON.stringify(await run(...args, ...more)));
  }
  expect(outputs.filter((output) => output.includes(secret))).toEqual([]);
  expect(outputs.filter((output) => output.includes('********')).length).toBeGreaterThan(0);
  expect(JSON.stringify([slack.received, venue.log])).not.toContain(secret);
  const files = readdirSync(cwd, { recursive: true, encoding: 'utf8' }).map((name) => join(cwd, name)).filter((path) => statSync(path).isFile());
  expect(files.length).toBeGreaterThan(3);
  for (const path of files) expect(readFileSync(path).includes(secret), path).toBe(false);
});
