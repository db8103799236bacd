import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Exchange } from '../src/domain/exchange.ts';
import { dayOf } from '../src/domain/partition.ts';
import type { Account } from '../src/domain/account.ts';
import { lakeAt } from '../src/lake/layout.ts';
import { writeAccount, type AccountWorkload } from './account-state.ts';
import { runNode, type Ended } from './processes.ts';
import { markdownTable, type TableColumn } from './table.ts';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const EXCHANGES: readonly Exchange[] = ['binance', 'coinbase', 'okx'];
/** One candle in five is missing, at random. */
const MISSING_RATIO = 0.2;
const REPEATS = 5;
const WALL_MS_MAX = 300_000;

/**
 * A missing candle means different things: Coinbase leaves out minutes without trades, Binance sends a flat row for
 * them.
 */
export const ACCOUNTS = [
  { name: 'thin', says: 'the ten series of Coinbase lack 20 %: no trades', exchange: 'coinbase' },
  { name: 'lossy', says: 'the ten series of Binance lack 20 %: pending', exchange: 'binance' },
] as const;

/** For a person, for a script, and with every settled gap. */
const COMMANDS = [['check-gaps'], ['check-gaps', '--json'], ['check-gaps', '--json', '--explained']] as const;

export interface AccountMeasurement {
  readonly account: string;
  readonly command: string;
  /** state.db and its log. */
  readonly stateBytes: number;
  /** `totals` is null where the command printed text. */
  readonly output: { readonly totals: Account | null; readonly gapsListed: number };
  readonly outputBytes: number;
  /** From start to end of the process; the median of five runs. */
  readonly wallMs: number;
  /** The part of it that `--version` takes: loading Node and the program's modules. */
  readonly startMs: number;
  readonly peakBytes: number;
  readonly exit: number | null;
}

type Extent = Pick<AccountWorkload, 'seed' | 'symbols' | 'range'>;

/** Creates the account of a backfill with the store's own operations, then runs the real command on it. */
export async function measureAccount(
  extent: Extent,
  account: (typeof ACCOUNTS)[number],
  directory: string,
): Promise<AccountMeasurement[]> {
  const dataDir = join(directory, 'data');
  mkdirSync(dataDir, { recursive: true });
  await writeAccount(
    { ...extent, exchanges: EXCHANGES, missing: { exchange: account.exchange, ratio: MISSING_RATIO } },
    dataDir,
  );
  const command = (args: readonly string[], name: string): Promise<Ended> =>
    medianOf(() =>
      runNode({
        args: [MAIN, ...args],
        env: {
          CANDLEKEEP_DATA_DIR: dataDir,
          CANDLEKEEP_EXCHANGES: EXCHANGES.join(','),
          CANDLEKEEP_SYMBOLS: extent.symbols.join(','),
          CANDLEKEEP_INTERVAL: '1m',
        },
        directory,
        name,
        wallMsMax: WALL_MS_MAX,
      }),
    );
  const { wallMs: startMs } = await command(['--version'], 'version');
  const measured: AccountMeasurement[] = [];
  for (const words of COMMANDS) {
    const { stdout, wallMs, usage, exit } = await command(
      [...words, '--start', dayOf(extent.range.fromMs), '--end', dayOf(extent.range.toMs - 1)],
      'check-gaps',
    );
    measured.push({
      account: account.name,
      command: words.join(' '),
      stateBytes: stateBytes(dataDir),
      output: outputOf(stdout),
      outputBytes: stdout.length,
      wallMs,
      startMs,
      peakBytes: usage?.peakBytes ?? Number.NaN,
      exit,
    });
  }
  return measured;
}

/** Totals and listed gaps of a JSON document; of text, the rows of its table. */
function outputOf(stdout: string): AccountMeasurement['output'] {
  if (stdout.startsWith('{')) {
    const { totals, gaps } = JSON.parse(stdout) as { readonly totals: Account; readonly gaps: readonly unknown[] };
    return { totals, gapsListed: gaps.length };
  }
  return {
    totals: null,
    gapsListed: stdout.split('\n').filter((line) => EXCHANGES.some((exchange) => line.startsWith(exchange))).length,
  };
}

/** The run of median length. Only the last output is kept: it may be large, and all are equal. */
async function medianOf(run: () => Promise<Ended>): Promise<Ended> {
  const ends: Omit<Ended, 'stdout'>[] = [];
  let stdout = '';
  for (let at = 0; at < REPEATS; at++) {
    const { stdout: output, ...end } = await run();
    stdout = output;
    ends.push(end);
  }
  return {
    ...(ends.toSorted((a, b) => a.wallMs - b.wallMs)[Math.floor(REPEATS / 2)] as Omit<Ended, 'stdout'>),
    stdout,
  };
}

const stateBytes = (dataDir: string): number =>
  [lakeAt(dataDir).state, `${lakeAt(dataDir).state}-wal`].reduce(
    (sum, path) => sum + (existsSync(path) ? statSync(path).size : 0),
    0,
  );

export const summaryOfAccount = ({ account, command, output, wallMs }: AccountMeasurement): string =>
  [
    `${account}: ${command} took ${(wallMs / 1_000).toFixed(2)} s`,
    ...(output.totals === null ? [] : [JSON.stringify(output.totals)]),
  ].join(', ');

const COLUMNS: readonly TableColumn<AccountMeasurement>[] = [
  ['account', ({ account }) => account],
  ['command', ({ command }) => command],
  ['state MB', ({ stateBytes: bytes }) => (bytes / 1_000_000).toFixed(1)],
  ['grid points', ({ output }) => grouped(output.totals?.expected)],
  ['no trades', ({ output }) => grouped(output.totals?.no_trades)],
  ['outage', ({ output }) => grouped(output.totals?.outage)],
  ['pending', ({ output }) => grouped(output.totals?.pending)],
  ['gaps listed', ({ output }) => grouped(output.gapsListed)],
  ['output MB', ({ outputBytes }) => (outputBytes / 1_000_000).toFixed(1)],
  ['wall s', ({ wallMs }) => (wallMs / 1_000).toFixed(2)],
  ['of it start s', ({ startMs }) => (startMs / 1_000).toFixed(2)],
  ['peak MB', ({ peakBytes }) => (peakBytes / 1_000_000).toFixed(0)],
];

const grouped = (amount: number | undefined): string => amount?.toLocaleString('en-US') ?? '';

export const accountTable = (measured: readonly AccountMeasurement[]): string => markdownTable(COLUMNS, measured);
