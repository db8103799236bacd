import { mkdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { candlekeep } from '../../tests/support/command-line/command-line.ts';
import {
  BACKFILL,
  CANDLES,
  CHECK_GAPS,
  ON_CONFIGURATION,
  ON_DATA,
  put,
  refusalOf,
  refused,
} from '../../tests/support/command-line/refused-commands.ts';

const ESCAPE = '\u001B';

const line = (args: readonly string[]): string => (args.length === 0 ? 'nothing' : JSON.stringify(args.join(' ')));

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
  [['run', '--symbol', 'coinbase:top:3'], 'in quote currency (binance, okx), got top:3:USDT at coinbase'],
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
