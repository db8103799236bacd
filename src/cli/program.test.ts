import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { candlekeep, directory, documentIn } from '../../tests/support/command-line/command-line.ts';
import {
  BACKFILL,
  CANDLES,
  CHECK_GAPS,
  contentOf,
  ON_CONFIGURATION,
  put,
  refusalOf,
  refused,
} from '../../tests/support/command-line/refused-commands.ts';
import { FAULT_CODES } from '../errors/table.ts';

const ESCAPE = '\u001B';

test.each([[[]], [['-v']], [['--no-color']]])('a line without a command prints the help (%j)', async (args) => {
  expect(await candlekeep(args)).toEqual({ ...(await candlekeep(['--help'])), exit: 0 });
  expect((await candlekeep(args)).out).toContain('First steps:');
});

test('with --json a line without a command is a usage error', async () => {
  const { exit, out } = await candlekeep(['--json']);
  expect({ exit, ...documentIn(out) }).toMatchObject({
    exit: 2,
    ok: false,
    error: { code: 'CONFIG_INVALID', message: expect.stringContaining('got none') as string },
  });
});

async function commandsBelow(path: readonly string[]): Promise<(readonly string[])[]> {
  const { out } = await candlekeep([...path, '--help']);
  const commands = out
    .split('\n\n')
    .filter((part) => !/^(?:Usage|Options|Global Options|Examples):/.test(part))
    .join('\n');
  const names = [...commands.matchAll(/^ {2}([a-z-]+)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => path.length === 0 || name !== 'help');
  const below = await Promise.all(names.map((name) => commandsBelow([...path, name])));
  return names.flatMap((name, at) => [[...path, name], ...(below[at] ?? [])]);
}

test('--help of every command gives examples of that command and exits 0', async () => {
  const commands = await commandsBelow([]);
  expect(commands.map((path) => path.join(' '))).toEqual(
    expect.arrayContaining([
      ...ON_CONFIGURATION.map((args) =>
        args.slice(0, ['runs', 'config', 'symbols', 'quarantine', 'alerts'].includes(args[0] ?? '') ? 2 : 1).join(' '),
      ),
      'demo',
      'init',
      'policies',
      'runs',
      'config',
      'symbols',
      'quarantine',
      'alerts',
      'metrics write',
      'completion',
      'help',
    ]),
  );
  for (const path of commands) {
    const { exit, out, err } = await candlekeep([...path, '--help']);
    expect({ exit, err }, path.join(' ')).toEqual({ exit: 0, err: '' });
    expect(out).toContain('\nExamples:\n');
    expect(out).toContain(`  $ candlekeep ${path.join(' ')}`);
    for (const option of ['--json', '--config <file>', '--data-dir <dir>', '--verbose', '--no-color'])
      expect(out).toContain(option);
  }
});

test.each(FAULT_CODES)('explain %s says what it is, in any case, as text and as a document', async (code) => {
  const { exit, out } = await candlekeep(['explain', code.toLowerCase()]);
  expect(exit).toBe(0);
  expect(out.split('\n')[0]).toBe(code);
  expect(documentIn((await candlekeep(['explain', code, '--json'])).out)).toMatchObject({
    schema: 1,
    code,
    docs: `docs/runbook/${code}.md`,
  });
  expect(out).toContain(`docs/runbook/${code}.md`);
});

test('explain of an unknown code is refused with the nearest one', async () => {
  expect(await refusalOf(['explain', 'ROWS_MISING'])).toEqual(refused('did you mean ROWS_MISSING?'));
  expect(await refusalOf(['explain', 'constructor'])).toEqual(refused('got "constructor"'));
});

test('policies lists every code', async () => {
  const { items } = documentIn((await candlekeep(['policies', '--json'])).out) as { items: { code: string }[] };
  expect(items.map(({ code }) => code)).toEqual(FAULT_CODES);
  const { out } = await candlekeep(['policies']);
  expect(
    out
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((row) => row.split(' ')[0]),
  ).toEqual(FAULT_CODES);
});

test('config show masks the token in the table and in the document', async () => {
  const env = { HF_TOKEN: 'hf_nobodyMayReadThis', CANDLEKEEP_HF_REPO: 'own/candles' };
  const [text, json] = [
    await candlekeep(['config', 'show'], { env }),
    await candlekeep(['config', 'show', '--json'], { env }),
  ];
  expect(JSON.stringify([text, json])).not.toContain('hf_nobody');
  expect(documentIn(json.out)['items']).toContainEqual({
    key: 'hfToken',
    env: 'HF_TOKEN',
    value: '********',
    source: 'environment',
  });
});

test('an unknown variable is a warning on stderr and no failure', async () => {
  const { exit, out, err } = await candlekeep(['config', 'validate', '--json'], {
    env: { CANDLEKEEP_INTERVALS: '1h' },
  });
  expect({ exit, err }).toEqual({
    exit: 0,
    err: 'warning: CANDLEKEEP_INTERVALS is not a variable of Candlekeep; did you mean CANDLEKEEP_INTERVAL?\n',
  });
  expect(documentIn(out)).toMatchObject({ ok: true });
});

test.each([[], ['my-candles']])('init %s writes a configuration that is valid, once', async (...place) => {
  const cwd = directory();
  expect(await candlekeep(['init', ...place], { cwd })).toMatchObject({ exit: 0, err: '' });
  const there = join(cwd, ...place);
  expect(readdirSync(there).toSorted()).toEqual(['.env.example', 'candlekeep.config.json']);
  expect(await candlekeep(['config', 'validate'], { cwd: there })).toMatchObject({
    exit: 0,
    out: expect.stringContaining('valid: 3 series') as string,
  });
  const before = contentOf(cwd);
  expect(await candlekeep(['init', ...place], { cwd })).toMatchObject({
    exit: 2,
    out: '',
    err: expect.stringContaining('candlekeep.config.json') as string,
  });
  expect(contentOf(cwd)).toEqual(before);
});

test('init overwrites neither of its files', async () => {
  expect(await refusalOf(['init'], { prepare: put('.env.example', 'MINE=1') })).toEqual(refused('.env.example'));
  expect(await refusalOf(['init'], { prepare: put('candlekeep.config.json', '{}') })).toEqual(
    refused('candlekeep.config.json'),
  );
});

test.each([['heal'], ['status'], ['explain', 'NOTHING'], ['run', '--help'], CHECK_GAPS])(
  'NO_COLOR and --no-color before or after %s give no escape bytes on a terminal',
  async (...args) => {
    const isTTY = true;
    const calls = [
      await candlekeep(args, { isTTY, env: { NO_COLOR: '1' } }),
      await candlekeep([...args, '--no-color'], { isTTY }),
      await candlekeep(['--no-color', ...args], { isTTY }),
      await candlekeep(args),
    ];
    expect(calls.map(({ out, err }) => `${out}${err}`).join('')).not.toContain(ESCAPE);
  },
);

test('a terminal gets colours', async () => {
  expect((await candlekeep(['heal'], { isTTY: true })).out).toContain(ESCAPE);
  expect((await candlekeep(['explain', 'NOTHING'], { isTTY: true })).err).toContain(ESCAPE);
});

test.each([
  [['status'], 0, 'nothing yet', { stored: [], faults_24h: [], removed_symbols: [], last_run: null }],
  [['runs', 'list'], 0, 'outcome', { items: [] }],
  [
    CHECK_GAPS,
    3,
    '144 candles expected = 0 present',
    {
      ok: false,
      exit: 3,
      totals: { expected: 144, present: 0, no_trades: 0, outage: 0, quarantined: 0, pending: 144 },
    },
  ],
  [CANDLES, 0, 'quote_volume', { items: [] }],
  [['heal'], 0, 'nothing to do', { ok: true, exit: 0, runs: [], pending: 0, resume: null }],
  [[...BACKFILL, '--dry-run'], 0, 'requests', { ok: true, exit: 0 }],
] as const)(
  '%j on an empty data directory ends with %i, as text and as one document',
  async (args, exit, text, document) => {
    expect(await candlekeep(args)).toMatchObject({ exit, out: expect.stringContaining(text) as string });
    const json = await candlekeep([...args, '--json']);
    expect(json.exit).toBe(exit);
    expect(documentIn(json.out)).toMatchObject({ schema: 1, ...document });
  },
);

test('the exchange before a symbol is the one whose candles are shown', async () => {
  const candlesOf = async (symbol: string, ...more: string[]) =>
    (await candlekeep(['candles', symbol, ...CANDLES.slice(2), ...more])).err;
  expect(await candlesOf('okx:BTC-USDT')).toContain('no candles of okx BTC/USDT');
  expect(await candlesOf('BTCUSDT')).toContain('no candles of binance BTC/USDT');
  expect(await candlesOf('okx:BTC-USDT', '--exchange', 'binance')).toContain('no candles of binance BTC/USDT');
});

test('status --watch refreshes until it is stopped', async () => {
  let attempts = 0;
  const { exit, out } = await candlekeep(['status', '--watch', '--json'], {
    stopsAfter: () => Promise.resolve(++attempts === 2),
  });
  expect(exit).toBe(0);
  expect(
    out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { last_run: unknown }).last_run),
  ).toEqual([null, null]);
});

test('--version prints the version, help prints what --help prints, and TERM=dumb gets no colours', async () => {
  const manifest = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  expect(await candlekeep(['--version'])).toEqual({
    exit: 0,
    out: `${version}\n`,
    err: '',
  });
  expect(await candlekeep(['help'])).toEqual(await candlekeep(['--help']));
  expect(await candlekeep(['help', 'symbols', 'disable'])).toEqual(await candlekeep(['symbols', 'disable', '--help']));
  expect((await candlekeep(['heal'], { isTTY: true, env: { TERM: 'dumb' } })).out).not.toContain(ESCAPE);
});

test.each([
  ['runs', 'show', 'run_1'],
  ['runs', 'cancel', 'run_1'],
  ['runs', 'retry', 'run_1'],
  ['explain', 'run_1'],
])('%s %s of a run that never was is a usage error', async (...args) => {
  expect(await candlekeep(args)).toMatchObject({ exit: 2, out: '', err: expect.stringContaining('"run_1"') as string });
});
