import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeAll, afterAll, expect, test } from 'vitest';
import { packageProblems } from '../../scripts/release-rules.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'candlekeep-package-'));
/** Paths of the packed files. */
let packed: readonly string[] = [];
let dataDir = '';

/** Runs a program in the folder in which the package is installed. */
const inFolder = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

beforeAll(() => {
  const packing = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [{ filename, files }] = JSON.parse(packing) as [
    { readonly filename: string; readonly files: readonly { readonly path: string }[] },
  ];
  packed = files.map(({ path }) => path);
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, type: 'module', allowScripts: { node: true } }),
  );
  inFolder('npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', `./${filename}`);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the package holds what a user needs, and neither sources nor tests nor their test doubles', () => {
  expect(packageProblems(packed)).toEqual([]);
  const namesIn = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => basename(path, '.ts'));
  const ofSource = new Set(namesIn('src'));
  const doubles = namesIn('tests/support').filter((name) => !ofSource.has(name));
  expect(doubles).toContain('virtual-clock');
  expect(packed.filter((path) => doubles.includes(basename(path, '.js')))).toEqual([]);
});

test('the packed package, installed into an empty folder, runs its demo to the end', { timeout: 300_000 }, () => {
  const verdict = JSON.parse(inFolder('npx', 'candlekeep', 'demo', '--once', '--json')) as {
    readonly data_dir: string;
  };
  expect(verdict).toMatchObject({
    schema: 1,
    ok: true,
    exit: 0,
    comparison: { lost: 0, doubled: 0, invented: 0, wrong: 0 },
  });
  dataDir = verdict.data_dir;
});

test('the installed command knows its version and completes itself', () => {
  expect(inFolder('npx', 'candlekeep', '--version').trim()).toBe(
    (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }).version,
  );
  expect(inFolder('npx', 'candlekeep', 'completion', 'bash')).toContain('complete -F _candlekeep candlekeep');
});

test('the examples of docs/library.md compile against the installed package and print what the document says', () => {
  const shown = [...readFileSync(join(ROOT, 'docs/library.md'), 'utf8').matchAll(/```ts\n\/\/ (\S+)\n(.*?)```/gs)].map(
    ([, name = '', text = '']) => ({ name, text }),
  );
  expect(shown.map(({ name }) => name)).toEqual(['candlekeep.config.ts', 'read.ts']);
  for (const { name, text } of shown) writeFileSync(join(folder, name), text);
  const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
  inFolder(
    process.execPath,
    join(ROOT, 'node_modules/typescript/bin/tsc'),
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--lib',
    'es2024,esnext',
    ...types,
    ...shown.map(({ name }) => name),
  );
  expect(JSON.parse(inFolder('npx', 'candlekeep', 'config', 'validate', '--json'))).toMatchObject({
    ok: true,
    series: 6,
    patterns: ['binance:top:20:USDT'],
  });
  expect(inFolder('npx', 'node', 'read.ts', dataDir)).toMatch(/^720 candles, \d+\.\d\d BTC\n$/);
});

test('every documented export exists, and an invalid query fails with a fault code', () => {
  writeFileSync(
    join(folder, 'use.mjs'),
    `
    import * as candlekeep from 'candlekeep';
    const reader = candlekeep.openReader(${JSON.stringify(dataDir)});
    const query = { exchange: 'binance', symbol: 'BTC/USDT', interval: '2h', from: '2024-06-01', to: '2024-06-01' };
    const code = await reader.candles(query).catch((error) => candlekeep.classify(error).fault.code);
    reader.close();
    const facts = { exchange: 'binance', status: 429, venueCode: null, retryAfterMs: 1 };
    const error = new candlekeep.RateLimitError('slow down', facts);
    const record = candlekeep.fromRecord(JSON.stringify(candlekeep.toRecord(error)));
    console.log(JSON.stringify({
      names: Object.keys(candlekeep).sort(),
      code,
      record: record.code,
      defect: candlekeep.classify(new TypeError('x')).verdict,
      tries: candlekeep.policies.EXCHANGE_RATE_LIMITED.triesMax,
    }));
  `,
  );
  expect(JSON.parse(inFolder('npx', 'node', 'use.mjs'))).toEqual({
    code: 'CONFIG_INVALID',
    record: 'EXCHANGE_RATE_LIMITED',
    defect: 'defect',
    tries: 5,
    names: [
      'AlertChannelError',
      'AnswerDamagedError',
      'CancelledError',
      'CellsLeasedError',
      'ConfigurationError',
      'ConnectionError',
      'DefectError',
      'ExchangeAPIError',
      'FAULT_CODES',
      'ForbiddenError',
      'IpBannedError',
      'MaintenanceError',
      'NotFoundError',
      'PipelineError',
      'PublishError',
      'RateLimitError',
      'RequestRejectedError',
      'RequestTimeoutError',
      'RunCrashedError',
      'SchemaMismatchError',
      'ServerError',
      'StateError',
      'StorageError',
      'SymbolInvalidError',
      'UnauthorizedError',
      'ValidationError',
      'classify',
      'defineConfig',
      'fromRecord',
      'isFaultCode',
      'openReader',
      'policies',
      'toRecord',
    ],
  });
});
