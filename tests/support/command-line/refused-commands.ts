import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { FaultCode } from '../../../src/errors/table.ts';
import { candlekeep, directory, documentIn } from './command-line.ts';

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
export const contentOf = (root: string): Record<string, string> =>
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

/** Runs a command line twice, for a person and with --json; `changed` are the paths it changed below its directory. */
export async function refusalOf(args: readonly string[], { prepare, env = {} }: Preparation = {}) {
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

/** One line with `names`, one document that says the same, and no file changed. */
export const refused = (names: string, code: FaultCode = 'CONFIG_INVALID') => ({
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

export const put =
  (name: string, content: string | Uint8Array) =>
  (cwd: string): void => {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), content);
  };

export const BACKFILL = ['backfill', '--start', '2024-01-01', '--end', '2024-01-02'];
export const CANDLES = ['candles', 'BTC/USDT', '--from', '2024-01-01', '--to', '2024-01-02'];
export const CHECK_GAPS = ['check-gaps', '--start', '2024-01-01', '--end', '2024-01-02'];
/** Every command that opens the data directory, with arguments it accepts. */
export const ON_DATA: readonly (readonly string[])[] = [
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
export const ON_CONFIGURATION = [...ON_DATA, ['config', 'show'], ['config', 'validate']];
