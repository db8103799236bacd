import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { buildProgram } from '../../../src/cli/commands/command-tree.ts';
import { loadAdapters, type Adapters } from '../../../src/exchanges/registry.ts';
import { candlekeep } from '../../support/command-line/command-line.ts';
import { SLACK } from '../../support/alert-harness.ts';
import { commandHarness } from '../../support/command-line/command-harness.ts';
import { simulateWithAlerts } from '../../support/notified.ts';

const DAY = ['--start', '2024-06-01', '--end', '2024-06-01'];

const secretNamed = (name: string): string => `sEcReT-${name}-0123456789`;
const NAMES = ['hub', 'hook', 'signing', 'heart', 'token', 'mail', 'proxy', 'slack'] as const;
const SECRETS = NAMES.map(secretNamed);
/** Every secret in one string, for a reason, an identifier or a header. */
const ALL = SECRETS.join(' ');

const ENV: Readonly<Record<string, string>> = {
  HF_TOKEN: secretNamed('hub'),
  CANDLEKEEP_HF_REPO: 'own/candles',
  HF_ENDPOINT: 'http://127.0.0.1:9',
  ALERT_WEBHOOK_URL: `http://127.0.0.1:9/${secretNamed('hook')}`,
  ALERT_WEBHOOK_SECRET: secretNamed('signing'),
  HEARTBEAT_URL: `http://127.0.0.1:9/ping/${secretNamed('heart')}`,
  CANDLEKEEP_TOKEN: secretNamed('token'),
  SMTP_URL: `smtp://me:${secretNamed('mail')}@127.0.0.1:9`,
  ALERT_EMAIL_TO: 'a@b.test',
  SLACK_WEBHOOK_URL: `http://127.0.0.1:9/services/${secretNamed('slack')}`,
  HTTPS_PROXY: `http://me:${secretNamed('proxy')}@127.0.0.1:9`,
  CANDLEKEEP_TAGS: `note=${SECRETS.join('/')}`,
  CANDLEKEEP_LISTEN: '127.0.0.1:0',
  CANDLEKEEP_DEADLINE: '1s',
  LOG_LEVEL: 'silent',
};

/** Every command, in an order that gives each one output, with secrets wherever text is free. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  'config show': [],
  'config validate': [],
  doctor: [],
  init: ['made'],
  policies: [],
  completion: ['bash'],
  help: ['run'],
  demo: ['--port', ALL],
  backfill: [...DAY, '--asset', 'bronze,silver'],
  run: ['--date', '2024-06-02', '--asset', 'bronze,silver'],
  heal: ['--now'],
  'check-gaps': [...DAY, '--explained', '--accept', ALL],
  repair: [],
  prune: ['--keep-days', '1'],
  resume: [],
  'runs list': [],
  'runs show': [ALL],
  'runs retry': [ALL],
  'runs cancel': [ALL],
  explain: [ALL],
  status: [],
  candles: ['BTC/USDT', '--from', '2024-06-01', '--to', '2024-06-01', '--exchange', ALL],
  'quarantine list': [],
  'quarantine show': [ALL],
  'quarantine release': [ALL, '--reason', ALL],
  'quarantine drop': ['binance/BTC-USDT/1h/2024-06-01T00:00:00Z', '--reason', ALL],
  'symbols disable': ['BTC/USDT', '--reason', ALL],
  'symbols list': [],
  'symbols enable': ['BTC/USDT'],
  'alerts test': [],
  'alerts ack': [ALL],
  'alerts silence': ['--exchange', 'binance', '--for', '1h', '--reason', ALL],
  'alerts list': [],
  'alerts outbox': [],
  metrics: [],
  'metrics write': ['written'],
};

const leavesOf = (command: Command, path: readonly string[] = []): string[] =>
  command.commands.length === 0
    ? [path.join(' ')]
    : [
        ...(command.name() === 'metrics' ? ['metrics'] : []),
        ...command.commands.flatMap((child) => leavesOf(child, [...path, child.name()])),
      ];

/** The text of every file, decompressed. */
function textsIn(directory: string): { readonly path: string; readonly text: string }[] {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile());
  return files.map((path) => ({
    path,
    text: (path.endsWith('.zst') ? zstdDecompressSync(readFileSync(path)) : readFileSync(path)).toString('latin1'),
  }));
}

const leaksIn = (text: string): string[] => SECRETS.filter((secret) => text.includes(secret));

test('planted secrets appear in no output, no file, no response and no notification', {
  timeout: 120_000,
}, async () => {
  const { cwd, call, slack, pagerduty, venue, run } = await commandHarness(
    { ...ENV },
    {
      wire: (handle) => async (request, nowMs) => {
        const reply = await handle(request, nowMs);
        return reply.kind === 'answer' ? { ...reply, headers: { ...reply.headers, server: `proxy of ${ALL}` } } : reply;
      },
    },
  );
  const outputs: [command: string, leaks: string[]][] = [];
  const masked: string[] = [];
  for (const [name, args] of Object.entries(COMMANDS)) {
    for (const more of [[], ['--json'], ['-v']]) {
      const output = JSON.stringify(await run(...name.split(' '), ...args, ...more));
      outputs.push([`${name} ${more.join(' ')}`, leaksIn(output)]);
      if (output.includes('********')) masked.push(name);
    }
  }
  const start = await candlekeep(['start', '--json'], {
    ...call,
    stopsAfter: async (line) => {
      const { type, url } = JSON.parse(line) as { readonly type: string; readonly url: string };
      if (type !== 'listening') return false;
      for (const [path, authorization] of [
        ['/metrics', `Bearer ${secretNamed('token')}`],
        ['/healthz', ''],
        [`/${encodeURIComponent(ALL)}`, `Bearer ${secretNamed('token')}`],
        ['/metrics', ALL],
      ] as const) {
        const response = await fetch(`${url}${path}`, { headers: { authorization } });
        outputs.push([`GET ${path}`, leaksIn(JSON.stringify([...response.headers]) + (await response.text()))]);
      }
      return true;
    },
  });
  outputs.push(['start', leaksIn(JSON.stringify(start))]);
  expect(start.exit).toBe(143);
  expect(outputs.filter(([, leaks]) => leaks.length > 0)).toEqual([]);
  expect(outputs.filter(([what]) => what.startsWith('GET'))).toHaveLength(4);
  expect(masked).toEqual(
    expect.arrayContaining(['config show', 'explain', 'symbols list', 'alerts list', 'runs show']),
  );
  expect(pagerduty.received.length).toBeGreaterThan(0);
  expect(leaksIn(JSON.stringify([slack.received, pagerduty.received, venue.log]))).toEqual([]);
  const files = textsIn(cwd);
  expect(files.map(({ path }) => path).filter((path) => /seg-\d+\.zst$|state\.db/.test(path)).length).toBeGreaterThan(
    1,
  );
  expect(files.flatMap(({ path, text }) => leaksIn(text).map((secret) => `${path}: ${secret}`))).toEqual([]);
});

test('the stack of a crash is stored and sent without the secrets in it', async () => {
  const { url } = SLACK as { readonly url: string };
  const binance = (await loadAdapters()).get('binance')!;
  const adapters: Adapters = new Map([
    [
      'binance',
      {
        ...binance,
        readCandles: () => {
          throw new TypeError(`cannot read ${url}`);
        },
      },
    ],
  ]);
  const harness = await simulateWithAlerts({ seed: 'crash', symbols: ['BTC/USDT'], interval: '1h', adapters });
  const {
    ending,
    runs: [run],
  } = await harness.run({ days: { start: '2024-06-01', end: '2024-06-01' } });
  await harness.drain();
  expect({ ending, stack: run?.error?.stack }).toEqual({
    ending: 'defect',
    stack: expect.stringMatching(/cannot read \*{8}[^]*at .*secrets\.test\.ts/) as string,
  });
  expect(harness.pages()).toEqual([expect.stringContaining('DEFECT')]);
  const [, path = ''] = /\.test(.+)/.exec(url) ?? [];
  const kept = [
    ...textsIn(harness.dataDir).map(({ text }) => text),
    JSON.stringify([
      harness.log.lines,
      harness.pages(),
      harness.slackTitles(),
      harness.pagerduty.received,
      harness.slack.received,
    ]),
  ];
  expect(kept.filter((text) => text.includes(path))).toEqual([]);
});

test('every command is searched for secrets', () => {
  const program = buildProgram({ stdout: { isTTY: false, write: () => undefined } }, () => undefined);
  expect([...Object.keys(COMMANDS), 'start'].toSorted()).toEqual(leavesOf(program).toSorted());
});
