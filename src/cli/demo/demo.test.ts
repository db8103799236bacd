import { expect, test } from 'vitest';
import { candlekeep, directory, documentIn } from '../../../tests/support/command-line/command-line.ts';
import { RECORDINGS } from '../../../tests/support/recordings.ts';
import { failurePlans } from './failures.ts';
import { runProgram } from '../program.ts';

/** Runs `work` while `candlekeep demo --serve` is up, with the variables it prints. */
async function whileServed(
  args: readonly string[],
  work: (
    env: Readonly<Record<string, string>>,
    printed: { readonly out: string; readonly err: string },
  ) => Promise<void>,
): Promise<number> {
  const written = { out: '', err: '' };
  let stop = (): void => undefined;
  const isUp = Promise.withResolvers<void>();
  const ended = runProgram(['demo', '--serve', ...args], {
    cwd: directory(),
    env: {},
    onStop: (ask) => {
      stop = () => ask('SIGINT');
      isUp.resolve();
      return () => undefined;
    },
    stdout: { isTTY: false, write: (text) => void (written.out += String(text)) },
    stderr: { isTTY: false, write: (text) => void (written.err += String(text)) },
  });
  await Promise.race([isUp.promise, ended]);
  await work(
    Object.fromEntries(
      [...written.out.matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name = '', url = '']) => [name, url]),
    ),
    written,
  );
  stop();
  return ended;
}

const failureOf = (err: string): string | undefined => /error\[\w+\] (.*)/.exec(err)?.[1];

test('--serve keeps every stand-in up: standard output is for a shell, the rest lists what was recorded', async () => {
  const exit = await whileServed([], async (env, { out, err }) => {
    expect(out).toMatch(/^(?:export CANDLEKEEP_[A-Z]+_URL=http:\/\/127\.0\.0\.1:\d+\n){3}$/);
    expect(err).toMatch(/^okx +BTC\/USDT +1h +2022-12-15 +2022-12-21 +168$/m);
    expect(err).toMatch(
      /^binance +BTC\/USDT +1h +2023-03-20 +2023-03-27 +191\nbinance +BTC\/USDT +1h +2024-06-01 +2024-06-30 +720$/m,
    );
    const day = ['--date', '2024-06-01', '--symbol', 'binance:BTC/USDT,coinbase:BTC/USD', '--json'];
    expect(
      documentIn(
        (await candlekeep(['run', ...day], { env: { ...env, CANDLEKEEP_EXCHANGES: 'binance,coinbase' } })).out,
      ),
    ).toMatchObject({ exit: 0, pending: 0 });
  });
  expect(exit).toBe(0);
});

test('every exchange has the last days at every candle length, so that run finds all that is due', async () => {
  await whileServed([], async (env) => {
    const markets = {
      CANDLEKEEP_EXCHANGES: 'binance,coinbase,okx',
      CANDLEKEEP_SYMBOLS: 'binance:XRP/USDT,coinbase:ETH/USD,okx:BTC/USDT',
      CANDLEKEEP_INTERVAL: '5m,1h',
    };
    const { out } = await candlekeep(['run', '--json'], { env: { ...env, ...markets } });
    expect(documentIn(out)).toMatchObject({ exit: 0, pending: 0 });
  });
});

test('--fail makes the first requests of one market fail, and healing then completes it', async () => {
  await whileServed(['--fail', 'binance:SOL/USDT=500x4'], async (env) => {
    const cwd = directory();
    const symbols = { CANDLEKEEP_SYMBOLS: 'BTC/USDT,ETH/USDT,SOL/USDT' };
    const { out } = await candlekeep(['run', '--date', '2024-06-01', '--json'], { cwd, env: { ...env, ...symbols } });
    expect(documentIn(out)).toMatchObject({
      exit: 3,
      pending: 24,
      runs: [{ assets: [{ symbols_ok: 2, errors: { 'SOL/USDT': 'EXCHANGE_SERVER_ERROR' } }, {}] }],
    });
    expect(
      documentIn((await candlekeep(['heal', '--now', '--json'], { cwd, env: { ...env, ...symbols } })).out),
    ).toMatchObject({ exit: 0, pending: 0 });
  });
});

test('a market without an exchange fails everywhere, by status or by name, for all requests or the first few', () => {
  const rulesOf = (...texts: readonly string[]) =>
    Object.fromEntries([...failurePlans(texts, RECORDINGS)].map(([exchange, { rules }]) => [exchange, rules]));
  expect(rulesOf('ETH/USDT=429', 'BTC-USD=truncated-jsonx2')).toEqual({
    binance: [{ match: { symbol: 'ETHUSDT' }, on: { every: 1 }, fault: { kind: 'status', status: 429 } }],
    okx: [{ match: { symbol: 'ETH-USDT' }, on: { every: 1 }, fault: { kind: 'status', status: 429 } }],
    coinbase: [{ match: { symbol: 'BTC-USD' }, on: { nth: [1, 2] }, fault: { kind: 'truncated-json' } }],
  });
});

test.each([
  [['--fail', 'BTC/USDT'], 'such as okx:ETH/USDT=500x4'],
  [['--fail', 'BTC/USDT=200'], 'such as okx:ETH/USDT=500x4'],
  [['--fail', 'BTC/USDT=silense'], 'did you mean silence?'],
  [['--fail', 'okx:SOL/USDT=500'], 'a market of the stand-ins (binance:BTC/USDT'],
  [['--fail', 'kraken:BTC/USD=500'], '--fail: expected one of binance, coinbase, okx'],
  [['--port', '80'], '--port: expected 0, or a port from 1024'],
  [['--once'], '--serve: expected either --once or --serve, got both'],
])('demo --serve %j is refused', async (args, names) => {
  const { exit, err } = await candlekeep(['demo', '--serve', ...args]);
  expect([exit, failureOf(err)]).toEqual([2, expect.stringContaining(names)]);
});

test('a port that is taken is named, and no stand-in is left behind', async () => {
  await whileServed([], async (env) => {
    const taken = Number(new URL(env['CANDLEKEEP_COINBASE_URL'] ?? '').port);
    const { exit, err } = await candlekeep(['demo', '--serve', '--port', String(taken)]);
    expect([exit, failureOf(err)]).toEqual([2, expect.stringContaining(`${taken}, and ${taken} is taken`)]);
  });
});
