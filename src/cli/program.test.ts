import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { FAULT_CODES, type FaultCode } from '../errors/table.ts';
import { candlekeep, directory, documentIn } from '../../tests/support/command-line.ts';

const ESCAPE = '\u001B';
const ERROR_FIELDS = [
  'attempts',
  'code',
  'docs',
  'exchange',
  'hint',
  'http_status',
  'message',
  'partition',
  'retry_after_s',
  'run_id',
  'symbol',
];

/** Every path below a directory with its bytes. */
const contentOf = (root: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(root, { recursive: true, withFileTypes: true }).map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path, entry.isDirectory() ? 'directory' : readFileSync(path).toString('base64')];
    }),
  );

interface Preparation {
  readonly env?: Readonly<Record<string, string>>;
  readonly prepare?: (cwd: string) => unknown;
}

/** The same command line twice, for a person and with --json, and which paths below the directory it changed. */
async function refusalOf(args: readonly string[], { prepare, env = {} }: Preparation = {}) {
  const cwd = directory();
  await prepare?.(cwd);
  const before = contentOf(cwd);
  const plain = await candlekeep(args, { cwd, env });
  const { out, ...json } = await candlekeep(['--json', ...args], { cwd, env });
  const after = contentOf(cwd);
  const document = documentIn(out);
  const changed = Object.keys({ ...before, ...after }).filter((path) => before[path] !== after[path]);
  return { plain, json, document, errorFields: Object.keys(document['error'] ?? {}).toSorted(), changed };
}

/** One line that says `names`, one document that says the same, and nothing touched. */
const refused = (names: string, code: FaultCode = 'CONFIG_INVALID') => ({
  plain: {
    exit: 2,
    out: '',
    err: expect.toSatisfy(
      (err: string) => /^error\[[^\n]+\n$/.test(err) && err.startsWith(`error[${code}] `) && err.includes(names),
      `is one line error[${code}] with ${names}`,
    ) as unknown,
  },
  json: { exit: 2, err: '' },
  document: {
    schema: 1,
    ok: false,
    exit: 2,
    error: expect.objectContaining({
      code,
      message: expect.stringContaining(names) as unknown,
      docs: `docs/runbook/${code}.md`,
    }) as unknown,
  },
  errorFields: ERROR_FIELDS,
  changed: [],
});

const put =
  (name: string, content: string | Uint8Array) =>
  (cwd: string): void => {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), content);
  };

const BACKFILL = ['backfill', '--start', '2024-01-01', '--end', '2024-01-02'];
const CANDLES = ['candles', 'BTC/USDT', '--from', '2024-01-01', '--to', '2024-01-02'];
const CHECK_GAPS = ['check-gaps', '--start', '2024-01-01', '--end', '2024-01-02'];
/** Every command that opens the data directory, with arguments it accepts. */
const ON_DATA: readonly (readonly string[])[] = [
  ['status'],
  ['heal'],
  ['doctor'],
  ['run', '--date', '2024-01-01'],
  BACKFILL,
  CHECK_GAPS,
  CANDLES,
  ['runs', 'list'],
  ['runs', 'show', 'run_1'],
  ['runs', 'cancel', 'run_1'],
  ['runs', 'retry', 'run_1'],
  ['explain', 'run_1'],
  ['explain', 'binance/BTC-USDT/1h/2024-01-01'],
  ['symbols', 'list'],
  ['symbols', 'disable', 'BTC/USDT', '--reason', 'test'],
  ['symbols', 'enable', 'BTC/USDT'],
  ['quarantine', 'list'],
  ['quarantine', 'show', 'binance/BTC-USDT/1h/2024-01-01'],
  ['metrics'],
  ['alerts', 'list'],
  ['alerts', 'test'],
  ['alerts', 'ack', 'x/y/z'],
  ['alerts', 'silence', '--exchange', 'binance', '--for', '1h', '--reason', 'test'],
  ['alerts', 'outbox'],
];
const ON_CONFIGURATION = [...ON_DATA, ['config', 'show'], ['config', 'validate']];

const line = (args: readonly string[]): string => (args.length === 0 ? 'nothing' : JSON.stringify(args.join(' ')));

test.each([[[]], [['-v']], [['--no-color']]])('who names no command gets the help (%j)', async (args) => {
  expect(await candlekeep(args)).toEqual({ ...(await candlekeep(['--help'])), exit: 0 });
  expect((await candlekeep(args)).out).toContain('First steps:');
});

test('a script that names no command is told so', async () => {
  const { exit, out } = await candlekeep(['--json']);
  expect({ exit, ...documentIn(out) }).toMatchObject({
    exit: 2,
    ok: false,
    error: { code: 'CONFIG_INVALID', message: expect.stringContaining('got none') as string },
  });
});

test.each<readonly [args: string[], names: string]>([
  [['runs'], 'got none'],
  [['config'], 'got none'],
  [['backfil'], "unknown command 'backfil' (Did you mean backfill?)"],
  [['runs', 'lst'], 'lst'],
  [['status', '--jsn'], "unknown option '--jsn'"],
  [['status', 'twice'], 'twice'],
  [['status', '--data-dir'], '--data-dir'],
  [['status', '--data-dir', ''], '--data-dir'],
  [
    ['explain'],
    "candlekeep explain: expected what candlekeep explain --help shows, got missing required argument 'what'",
  ],
  [['explain', 'one\ntwo'], 'one'],
  [['explain', 'binance/BTC-USDT/1h/2024-02-30'], '<what>: expected a cell such as binance/BTC-USDT/1h/2024-06-01'],
  [['explain', 'binance/BTC-USDT/2h/2024-06-01'], '<what>: expected a cell'],
  [['explain', 'binanse/BTC-USDT/1h/2024-06-01'], 'did you mean binance?'],
  [['explain', 'coinbase/BTC-USD/4h/2024-06-01'], '<what>: expected a candle length that coinbase has'],
  [['symbols'], 'candlekeep symbols: expected a command (list, disable, enable), got none'],
  [['symbols', 'disable', 'BTC/USDT'], "required option '--reason <text>' not specified"],
  [['symbols', 'disable', 'BTC/USDT', '--reason', ' '], '--reason: expected text'],
  [['symbols', 'disable', '*/USDT', '--reason', 'x'], '<symbol>: expected one symbol'],
  [
    ['symbols', 'enable', 'okx:BTC/USDT', '--exchange', 'binance'],
    '--exchange: expected okx, as okx:BTC/USDT says, got binance',
  ],
  [
    ['run', '--exchange', 'okx'],
    '--exchange: expected an exchange with configured symbols, or --symbol beside it, got okx',
  ],
  [
    ['run', '--exchange', 'okx', '--symbol', 'coinbase:BTC/USD'],
    '--symbol: expected symbols of okx, got coinbase:BTC/USD',
  ],
  [
    ['run', '--symbol', 'coinbase:top:3'],
    '--symbol: expected top:N at an exchange that states volumes in quote currency (binance, okx), got top:3:USDT at coinbase',
  ],
  [
    ['run', '--symbol', 'coinbase:BTC/USD', '--exchange', 'coinbase', '--interval', '4h'],
    '--interval: expected a candle length that coinbase has, got 4h at coinbase',
  ],
  [['quarantine', 'list', '--start', '2024-01-01'], '--end'],
  [['quarantine', 'show', 'BTC/USDT'], '<row>: expected a cell such as'],
  [['quarantine', 'show', 'binance/BTC-USDT/1h/2024-06-01T25:00:00Z'], '<row>'],
  [['alerts', 'silence', '--for', '1h', '--reason', 'x'], 'expected --exchange, --code or --asset, got none'],
  [['alerts', 'silence', '--exchange', 'okx', '--reason', 'x'], '--for: expected a duration'],
  [['alerts', 'silence', '--exchange', 'okx', '--for', '721h', '--reason', 'x'], '--for: expected at most 720h'],
  [['alerts', 'silence', '--exchange', 'okx', '--for', '1h'], '--reason: expected text'],
  [['alerts', 'silence', '--code', 'ROWS_MISING', '--for', '1h', '--reason', 'x'], 'did you mean ROWS_MISSING?'],
  [['alerts', 'silence', '--asset', 'gold', '--for', '1h', '--reason', 'x'], '--asset: expected one of'],
  [['alerts', 'test', '--level', 'loud'], '--level: expected info, warning, error, critical'],
  [['metrics', 'write'], "missing required argument 'dir'"],
  [['metrics', 'write', 'x', '--time-scale', '0'], '--time-scale: expected a whole number'],
  [['completion', 'bsh'], '<shell>: expected bash, zsh, fish, got "bsh"; did you mean bash?'],
  [['help', 'symbls'], 'did you mean symbols?'],
  [['help', 'symbols', 'lst'], 'did you mean list?'],
  [
    ['run', '--symbol', 'BTC'],
    '--symbol: expected a symbol such as BTC/USDT, BTC-USDT or BTCUSDT, a pattern such as */USDT, or top:50, got "BTC"',
  ],
  [['run', '--symbol', 'BTC/USDT,'.repeat(2) + '??'], 'got "??"'],
  [['run', '--interval', '1w'], '--interval: expected one of 1m, 5m, 15m, 1h, 4h, 1d, got "1w"'],
  [['run', '--exchange', 'binanc'], 'got "binanc"; did you mean binance?'],
  [['run', '--asset', 'bronze_binance_ohlc'], 'did you mean bronze_binance_ohlcv?'],
  [['run', '--asset', 'gold'], '--asset: expected CANDLEKEEP_HF_REPO'],
  [['run', '--date', 'yesterday'], '--date: expected a UTC date such as 2024-06-01, got "yesterday"'],
  [['run', '--date', '2024-02-30'], 'got "2024-02-30"'],
  [['run', '--date', '2999-01-01'], '--date: expected a day that is not in the future'],
  [['backfill', '--start', '2024-01-01'], '--end'],
  [['backfill', '--end', '2024-01-01'], '--start'],
  [
    ['backfill', '--start', '2024-01-02', '--end', '2024-01-01'],
    '--end: expected a day on or after --start 2024-01-02, got 2024-01-01',
  ],
  [['backfill', '--start', '2024-01-01', '--end', '2999-01-01'], '--end'],
  [['backfill', '--start', '2024-01-01T00:00:00Z', '--end', '2024-01-01'], '--start'],
  [[...BACKFILL, '--only', 'some'], '--only'],
  [['check-gaps', '--start', '2024-01-01'], '--end'],
  [['check-gaps', '--end', '2024-01-01'], '--start'],
  [['check-gaps', '--hours', '-1'], '--hours'],
  [['check-gaps', '--hours', '1.5'], '--hours'],
  [[...CHECK_GAPS, '--hours', '24'], '--hours'],
  [['runs', 'list', '--limit', 'all'], '--limit'],
  [['candles', 'BTC/USDT,ETH/USDT', ...CANDLES.slice(2)], '<symbol>: expected one symbol'],
  [['candles', ',', ...CANDLES.slice(2)], '<symbol>'],
  [['candles', 'BTC/USDT', '--from', 'then', '--to', '2024-01-01'], '--from: expected a UTC date'],
  [
    ['candles', 'BTC/USDT', '--from', '2024-01-02', '--to', '2024-01-01'],
    '--to: expected a day on or after --from 2024-01-02',
  ],
  [[...CANDLES, '--interval', '2h'], '--interval'],
  [[...CANDLES, '--exchange', 'nasdaq'], '--exchange'],
])('%j is refused in one line that says %j, and nothing is touched', async (args, names) => {
  expect(await refusalOf(args)).toEqual(refused(names));
});

test('an unknown output format is refused', async () => {
  const { exit, out, err } = await candlekeep([...CANDLES, '--format', 'xml']);
  expect({ exit, out, err }).toEqual({
    exit: 2,
    out: '',
    err: 'error[CONFIG_INVALID] --format: expected table, csv, parquet, json, got "xml"\n',
  });
});

test.each([
  ['CANDLEKEEP_DATA_DIR', ' '],
  ['CANDLEKEEP_EXCHANGES', 'krakn'],
  ['CANDLEKEEP_SYMBOLS', 'BTC'],
  ['CANDLEKEEP_INTERVAL', '1h\n7h'],
  ['CANDLEKEEP_BINANCE_URL', 'http://127.0.0.1/api'],
  ['CANDLEKEEP_REQUEST_TIMEOUT', '10'],
  ['CANDLEKEEP_DEADLINE', '0s'],
  ['CANDLEKEEP_RECHECK_AFTER', 'soon'],
  ['CANDLEKEEP_RATE_SHARE', '1.5'],
  ['CANDLEKEEP_HF_REPO', 'candles'],
  ['HF_ENDPOINT', `huggingface${ESCAPE}[31m.co`],
  ['HF_TOKEN_FILE', 'missing'],
  ['LOG_LEVEL', 'loud'],
])('%s=%j is refused by name before anything is opened', async (name, value) => {
  expect(await refusalOf(['status'], { env: { [name]: value } })).toEqual(refused(`${name}: expected`));
  expect((await candlekeep(['status'], { env: { [name]: value } })).err).not.toContain(ESCAPE);
});

test.each(ON_CONFIGURATION.map((args) => [line(args), args] as const))(
  '%s refuses a missing, a broken and a misspelt configuration file',
  async (_, args) => {
    expect(await refusalOf([...args, '--config', 'none.json'])).toEqual(refused('none.json'));
    expect(await refusalOf(args, { prepare: put('candlekeep.config.json', '{"interval": 1h}') })).toEqual(
      refused('candlekeep.config.json: expected JSON'),
    );
    expect(
      await refusalOf([...args, '--config', 'own.json'], { prepare: put('own.json', '{"intervall": "1h"}') }),
    ).toEqual(refused('did you mean interval?'));
  },
);

/** Bytes without meaning, the same ones every time. */
const NOISE = Buffer.from(Array.from({ length: 8_192 }, (_, at) => (at * at * 31 + at * 7 + 13) % 251));

function foreignDatabase(cwd: string): void {
  mkdirSync(join(cwd, 'data'));
  const database = new DatabaseSync(join(cwd, 'data/state.db'));
  database.exec('create table invoices (id integer primary key); insert into invoices values (1)');
  database.close();
}

async function newerDatabase(cwd: string): Promise<void> {
  await candlekeep(['status', '--data-dir', 'data'], { cwd });
  const database = new DatabaseSync(join(cwd, 'data/state.db'));
  database.exec('pragma user_version = 1000');
  database.close();
}

async function cutDatabase(cwd: string): Promise<void> {
  await candlekeep(['status', '--data-dir', 'data'], { cwd });
  truncateSync(join(cwd, 'data/state.db'), 5_000);
}

test.each(ON_DATA.map((args) => [line(args), args] as const))(
  '%s refuses a state.db it cannot use and leaves it byte for byte',
  async (_, args) => {
    const onData = [...args, '--data-dir', 'data'];
    const code = 'STATE_UNUSABLE';
    expect(await refusalOf(onData, { prepare: put('data/state.db', NOISE) })).toEqual(
      refused('state.db is damaged or not a database', code),
    );
    expect(await refusalOf(onData, { prepare: put('data/state.db', 'not a database') })).toEqual(
      refused('state.db is damaged or not a database', code),
    );
    expect(await refusalOf(onData, { prepare: foreignDatabase })).toEqual(
      refused('state.db is a database of another program', code),
    );
    expect(await refusalOf(onData, { prepare: newerDatabase })).toEqual(
      refused('state.db was written by a newer Candlekeep', code),
    );
    expect(await refusalOf(onData, { prepare: cutDatabase })).toEqual(refused('state.db is damaged', code));
  },
);

test.each([...ON_DATA.map((args) => [...args, '--data-dir']), ['init']].map((args) => [line(args), args] as const))(
  '%s refuses a place at or below a file',
  async (_, args) => {
    expect(await refusalOf([...args, 'taken/data'], { prepare: put('taken', 'mine') })).toEqual(
      refused('ENOTDIR', 'STORAGE_FAILED'),
    );
    expect(await refusalOf([...args, 'taken'], { prepare: put('taken', 'mine') })).toEqual(
      refused('taken', 'STORAGE_FAILED'),
    );
  },
);

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

test('a variable nobody reads is a warning on stderr and no failure', async () => {
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

test('status --watch looks again until it is stopped', async () => {
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

test('--version prints the version of the package, help what --help prints, and TERM=dumb gets no colours', async () => {
  expect(await candlekeep(['--version'])).toEqual({
    exit: 0,
    out: `${(JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as { version: string }).version}\n`,
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
