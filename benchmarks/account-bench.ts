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
/** A candle in five, at random. */
const LACKING_RATIO = 0.2;
const REPEATS = 5;
const WALL_MS_MAX = 300_000;

/** What a missing candle means depends on the venue: Coinbase leaves out minutes without trades, Binance sends a flat row for them. */
export const ACCOUNTS = [
  { name: 'thin', says: 'the ten series of Coinbase lack 20 %: no trades', exchange: 'coinbase' },
  { name: 'lossy', says: 'the ten series of Binance lack 20 %: pending', exchange: 'binance' },
] as const;

/** Ways to ask: what a person types, what a script does, and with every settled gap. */
const WAYS = [['check-gaps'], ['check-gaps', '--json'], ['check-gaps', '--json', '--explained']] as const;

export interface AccountMeasurement {
  readonly account: string;
  readonly command: string;
  /** state.db and its log. */
  readonly stateBytes: number;
  /** `totals` is null where they were printed as a sentence. */
  readonly response: { readonly totals: Account | null; readonly gapsListed: number };
  readonly outputBytes: number;
  /** From start to end of the process; the middle one of five. */
  readonly wallMs: number;
  /** Of it, what `--version` takes: Node and the program's modules. */
  readonly startMs: number;
  readonly peakBytes: number;
  readonly exit: number | null;
}

type Extent = Pick<AccountWorkload, 'seed' | 'symbols' | 'range'>;

/** Makes the account of a backfill with the ledger's own operations, and asks the real command for it. */
export async function measureAccount(
  extent: Extent,
  account: (typeof ACCOUNTS)[number],
  directory: string,
): Promise<AccountMeasurement[]> {
  const dataDir = join(directory, 'data');
  mkdirSync(dataDir, { recursive: true });
  await writeAccount(
    { ...extent, exchanges: EXCHANGES, lacking: { exchange: account.exchange, ratio: LACKING_RATIO } },
    dataDir,
  );
  const command = (args: readonly string[], name: string): Promise<Ended> =>
    middleOf(() =>
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
  const asked: AccountMeasurement[] = [];
  for (const way of WAYS) {
    const { stdout, wallMs, usage, exit } = await command(
      [...way, '--start', dayOf(extent.range.fromMs), '--end', dayOf(extent.range.toMs - 1)],
      'check-gaps',
    );
    asked.push({
      account: account.name,
      command: way.join(' '),
      stateBytes: stateBytes(dataDir),
      response: answerIn(stdout),
      outputBytes: stdout.length,
      wallMs,
      startMs,
      peakBytes: usage?.peakBytes ?? Number.NaN,
      exit,
    });
  }
  return asked;
}

/** The document, or the rows of the table that a person sees and how many more there are. */
function answerIn(stdout: string): AccountMeasurement['response'] {
  if (stdout.startsWith('{')) {
    const { totals, gaps } = JSON.parse(stdout) as { readonly totals: Account; readonly gaps: readonly unknown[] };
    return { totals, gapsListed: gaps.length };
  }
  return {
    totals: null,
    gapsListed: stdout.split('\n').filter((line) => EXCHANGES.some((exchange) => line.startsWith(exchange))).length,
  };
}

/** Ends of the same length as the middle one of several; output is kept of the last alone, it may be large. */
async function middleOf(run: () => Promise<Ended>): Promise<Ended> {
  const ends: Omit<Ended, 'stdout'>[] = [];
  let stdout = '';
  for (let at = 0; at < REPEATS; at++) {
    const { stdout: told, ...end } = await run();
    stdout = told;
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

export const summaryOfAccount = ({ account, command, response: answer, wallMs }: AccountMeasurement): string =>
  `${account}: ${command} answered in ${(wallMs / 1_000).toFixed(2)} s${answer.totals === null ? '' : `, ${JSON.stringify(answer.totals)}`}`;

const COLUMNS: readonly TableColumn<AccountMeasurement>[] = [
  ['account', ({ account }) => account],
  ['command', ({ command }) => command],
  ['state MB', ({ stateBytes: bytes }) => (bytes / 1_000_000).toFixed(1)],
  ['grid points', ({ response: answer }) => grouped(answer.totals?.expected)],
  ['no trades', ({ response: answer }) => grouped(answer.totals?.no_trades)],
  ['outage', ({ response: answer }) => grouped(answer.totals?.outage)],
  ['pending', ({ response: answer }) => grouped(answer.totals?.pending)],
  ['gaps listed', ({ response: answer }) => grouped(answer.gapsListed)],
  ['output MB', ({ outputBytes }) => (outputBytes / 1_000_000).toFixed(1)],
  ['wall s', ({ wallMs }) => (wallMs / 1_000).toFixed(2)],
  ['of it start s', ({ startMs }) => (startMs / 1_000).toFixed(2)],
  ['peak MB', ({ peakBytes }) => (peakBytes / 1_000_000).toFixed(0)],
];

const grouped = (amount: number | undefined): string => amount?.toLocaleString('en-US') ?? '';

export const accountTable = (asked: readonly AccountMeasurement[]): string => markdownTable(COLUMNS, asked);
