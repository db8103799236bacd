import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EXCHANGES } from '../../../src/exchanges/registry.ts';
import { realClock } from '../../../src/platform/node/system-clock.ts';
import { always, NO_FAULTS, type FaultPlan } from '../../../src/simulation/fault-plan.ts';
import { serveOnLoopback } from '../../../src/simulation/loopback.ts';
import { standInBinance } from '../../../src/simulation/stand-ins/stand-in-binance.ts';
import { candlekeep, directory, documentIn } from '../../support/command-line/command-line.ts';
import { BINANCE_RECORDINGS } from '../../support/simulated.ts';

const DAY = ['--start', '2024-06-01', '--end', '2024-06-01'];

/** One data directory and one stand-in exchange over real sockets, for several command lines after another. */
async function commandsHarness(plan: FaultPlan = NO_FAULTS, symbols = 'BTC/USDT,ETH/USDT') {
  const venue = standInBinance({ world: BINANCE_RECORDINGS, plan });
  const server = await serveOnLoopback(venue.handle, { clock: realClock });
  onTestFinished(() => server.close());
  const call = { cwd: directory(), env: { CANDLEKEEP_BINANCE_URL: server.url, CANDLEKEEP_SYMBOLS: symbols } };
  return {
    venue,
    run: (...args: readonly string[]) => candlekeep(args, call),
    json: async (...args: readonly string[]) => {
      const { exit, out } = await candlekeep([...args, '--json'], call);
      return { exit, document: documentIn(out) };
    },
    items: async (...args: readonly string[]) =>
      documentIn((await candlekeep([...args, '--json'], call)).out)['items'] as Record<string, unknown>[],
  };
}

test('symbols: disable is obeyed and listed with its reason, enable reverts it, the history has both', async () => {
  const { run, json, items, venue } = await commandsHarness();
  expect(await run('symbols', 'disable', 'eth-usdt', '--reason', 'not ours')).toMatchObject({ exit: 0, err: '' });
  expect(await items('symbols', 'list')).toMatchObject([
    { exchange: 'binance', symbol: 'BTC/USDT', state: 'active', reason: null },
    { exchange: 'binance', symbol: 'ETH/USDT', state: 'disabled', code: null, reason: 'not ours', next_check_at: null },
  ]);
  expect(await json('backfill', ...DAY)).toMatchObject({ exit: 3, document: { pending: 24 } });
  expect(venue.log.filter(({ query }) => query.includes('ETHUSDT'))).toEqual([]);
  expect((await run('check-gaps', ...DAY)).out).toMatch(/ETH\/USDT .* 24 {2}pending {2}disabled {2}-$/m);
  expect((await run('explain', 'binance/ETH-USDT/1h/2024-06-01')).out).toContain(
    'candlekeep symbols enable binance:ETH/USDT',
  );
  expect(await json('symbols', 'enable', 'ETH/USDT')).toMatchObject({ exit: 0, document: { exchanges: ['binance'] } });
  expect(await run('symbols', 'enable', 'ETH/USDT')).toMatchObject({
    exit: 0,
    out: 'binance ETH/USDT is active already\n',
  });
  expect(await json('backfill', ...DAY)).toMatchObject({ exit: 0, document: { pending: 0 } });
  expect(await items('symbols', 'list', '--history')).toMatchObject([
    { state: 'removed', reason: 'not ours' },
    { state: 'active', reason: 'enabled by hand' },
  ]);
  expect(await run('symbols', 'disable', 'DOGE/USDT', '--reason', 'x')).toMatchObject({
    exit: 2,
    err: expect.stringContaining('expected a configured symbol of binance') as string,
  });
});

test('patterns and rankings work from the environment and from --symbol, and dry runs request no candle', async () => {
  const { run, json, venue } = await commandsHarness(NO_FAULTS, '*/USDT');
  expect(await json('backfill', ...DAY, '--dry-run')).toMatchObject({
    exit: 0,
    document: {
      plan: [
        {
          exchange: 'binance',
          interval: '1h',
          partition: '2024-06-01',
          runs: 1,
          series: 5,
          candles: 120,
          requests: 5,
          weight: 10,
          at_least_s: 0,
        },
      ],
      total: { runs: 1, series: 5, candles: 120, requests: 5, at_least_s: 0 },
    },
  });
  expect((await run('backfill', ...DAY, '--dry-run')).out).toMatch(/^total +1 +5 +120 +5 +0 s$/m);
  expect(venue.log.map(({ path }) => path)).toEqual(['/api/v3/exchangeInfo']);
  expect(await json('backfill', ...DAY, '--symbol', 'top:1')).toMatchObject({
    exit: 0,
    document: { runs: [{ assets: [{ symbols_ok: 1 }, {}] }] },
  });
  expect((await run('config', 'validate')).out).toContain('the symbols that match binance:*/USDT');
});

test('quarantine lists rows by day and rule, and shows one with the row as the exchange sent it', async () => {
  const { run, items } = await commandsHarness(
    always({ kind: 'invalid-rows', rule: 'ohlc-order', rows: 2 }, { symbol: 'BTCUSDT' }),
  );
  await run('backfill', ...DAY);
  expect(await items('quarantine', 'list')).toEqual([
    {
      exchange: 'binance',
      symbol: 'BTC/USDT',
      interval: '1h',
      day: '2024-06-01',
      rows: 2,
      rules: { 'ohlc-order': 2, 'vwap-outside-range': 2 },
    },
  ]);
  expect(await items('quarantine', 'list', '--symbol', 'ETH/USDT')).toEqual([]);
  expect(await items('quarantine', 'list', '--start', '2024-06-02', '--end', '2024-06-03')).toEqual([]);
  expect((await run('quarantine', 'list')).out).toMatch(/^binance\/BTC-USDT\/1h\/2024-06-01 +2 +ohlc-order 2/m);
  const [row] = await items('quarantine', 'show', 'binance/BTC-USDT/1h/2024-06-01T01:00:00Z', '--body');
  const { answer, raw, run_id } = row as {
    answer: { row: unknown[]; body: string; status: number };
    raw: string;
    run_id: string;
  };
  expect({ status: answer.status, raw, run_id }).toEqual({
    status: 200,
    raw: expect.stringMatching(/^page_\w+#1$/) as string,
    run_id: expect.stringMatching(/^run_/) as string,
  });
  expect(answer.row).toEqual((JSON.parse(answer.body) as unknown[])[1]);
  expect(answer.row[0]).toBe(Date.parse('2024-06-01T01:00:00Z'));
  expect((await run('quarantine', 'show', 'binance/BTC-USDT/1h/2024-06-01')).out).toContain(
    'high and low do not enclose open and close',
  );
  expect(await run('quarantine', 'show', 'binance/BTC-USDT/1h/2024-06-01T05:00:00Z')).toMatchObject({
    exit: 2,
    err: expect.stringContaining('expected a row in quarantine') as string,
  });
});

/** Names in a document, at any depth; symbols name the fields of `errors`. */
const namesIn = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, inner]) => [
        ...(Array.isArray(value) || name.includes('/') ? [] : [name]),
        ...namesIn(inner),
      ]);

test('check-gaps --heal requests failed candles and those never requested, and then counts', async () => {
  const { run, json } = await commandsHarness({
    seed: 'commands',
    rules: [
      {
        match: { path: '/api/v3/klines', symbol: 'BTCUSDT' },
        on: { nth: [1] },
        fault: { kind: 'status', status: 404 },
      },
    ],
  });
  expect(await json('backfill', ...DAY, '--symbol', 'BTC/USDT')).toMatchObject({ exit: 5, document: { pending: 24 } });
  expect((await run('check-gaps', ...DAY)).out).toMatch(
    /BTC\/USDT .* 24 {2}pending {2}NOT_FOUND .*\n.*ETH\/USDT .* 24 {2}pending {2}not requested yet/,
  );
  expect(await json('check-gaps', ...DAY, '--heal')).toMatchObject({
    exit: 0,
    document: { totals: { expected: 48, present: 48, pending: 0 } },
  });
});

test('explain shows the response that covers a truncated candle', async () => {
  const { run } = await commandsHarness();
  await run('backfill', '--start', '2023-03-20', '--end', '2023-03-27', '--symbol', 'BTC/USDT');
  const { out } = await run('explain', 'binance/BTC-USDT/1h/2023-03-24');
  expect(out).toMatch(/2023-03-24T12:00:00Z .* outage +known_incident +covered by 1 response/);
});

test('the advice about a symbol that does not exist is to check the symbols, not to repeat the request', async () => {
  const { run, json } = await commandsHarness();
  expect(await json('backfill', ...DAY, '--symbol', 'LUNA/USDT')).toMatchObject({
    exit: 3,
    document: { pending: 0, resume: null },
  });
  expect((await run('backfill', ...DAY, '--symbol', 'BTC/USDT,LUNA/USDT')).out).toMatch(
    /LUNA\/USDT SYMBOL_INVALID\n.*\n {2}you can {2}candlekeep symbols list\n$/,
  );
});

test('documents of runs and faults have snake case, ISO times and one error shape, like all others', async () => {
  const { json } = await commandsHarness(
    always({ kind: 'status', status: 404, body: 'json', venueCode: 0 }, { symbol: 'ETHUSDT' }),
  );
  const [{ id } = { id: '' }] = (await json('backfill', ...DAY)).document['runs'] as { id: string }[];
  const { document } = await json('runs', 'show', id);
  expect(document['faults']).toMatchObject([
    {
      at: expect.stringMatching(/Z$/) as string,
      code: 'NOT_FOUND',
      from: '2024-06-01T00:00:00Z',
      tries_max: 1,
      wait_ms: null,
      error: { code: 'NOT_FOUND', http_status: 404, run_id: id },
    },
  ]);
  expect(
    [...namesIn(document), ...namesIn((await json('explain', id)).document)].filter(
      (name) => !/^[a-z0-9_]+$/.test(name),
    ),
  ).toEqual([]);
});

test('explain lists faults and pending candles of a run, runs retry requests these, both are listed', async () => {
  const { run, json, venue, items } = await commandsHarness(
    always({ kind: 'status', status: 404, body: 'json', venueCode: 0 }, { symbol: 'ETHUSDT' }),
  );
  const first = (await json('backfill', ...DAY)).document['runs'] as { id: string }[];
  const id = first[0]?.id ?? '';
  expect((await json('explain', id)).document).toMatchObject({
    id,
    faults: [{ code: 'NOT_FOUND', symbol: 'ETH/USDT', times: 1, tries_max: 1, decision: 'permanent' }],
    account: { expected: 48, present: 24, pending: 24 },
    next_attempt_at: expect.any(String) as string,
  });
  const { out } = await run('explain', id);
  for (const part of [
    'Faults',
    '48 candles expected = 24 present',
    'candlekeep heal requests the 24 pending candles again from',
    `candlekeep runs retry ${id}`,
  ])
    expect(out).toContain(part);

  expect((await json('explain', 'binance/ETH-USDT/1h/2024-06-01')).document).toMatchObject({
    account: { expected: 24, pending: 24 },
    looks: 1,
    gaps: [
      { candles: 24, reason: 'pending', code: 'NOT_FOUND', answers: 0, last_fault: { code: 'NOT_FOUND', run_id: id } },
    ],
    answers: [{ rejected: 'NOT_FOUND', run_id: id }],
  });
  expect((await run('explain', 'binance/ETH-USDT/1h/2024-06-01')).out).toContain('candlekeep explain NOT_FOUND');
  expect((await run('explain', 'binance/BTC-USDT/1h/2024-06-01')).out).toContain('complete');

  venue.plan(NO_FAULTS);
  expect(await json('runs', 'retry', id)).toMatchObject({
    exit: 0,
    document: {
      pending: 0,
      runs: [{ trigger: 'retry', outcome: 'complete', tags: { retry_of: id, retry_count: '1' } }],
    },
  });
  expect((await items('runs', 'list')).map((one) => one['trigger'])).toEqual(['retry', 'backfill']);
  expect((await run('explain', id)).out).toContain('nothing: every candle of its days is accounted for');
});

/** What bash offers after these words. */
async function offered(words: readonly string[]): Promise<string[]> {
  const { out } = await candlekeep(['completion', 'bash']);
  const script = join(directory(), 'candlekeep.bash');
  writeFileSync(
    script,
    `${out}\nCOMP_WORDS=(candlekeep "$@"); COMP_CWORD=$#; _candlekeep; printf '%s\\n' "\${COMPREPLY[@]}"\n`,
  );
  return execFileSync('bash', ['--norc', '-u', script, ...words], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

test('bash completes commands, their options and their values', async () => {
  expect(await offered(['ba'])).toEqual(['backfill']);
  expect(await offered(['symbols', ''])).toEqual(expect.arrayContaining(['list', 'disable', 'enable', '--json']));
  expect(await offered(['symbols', 'disable', '--re'])).toEqual(['--reason']);
  expect(await offered(['symbols', 'list', '--re'])).toEqual(['']);
  expect(await offered(['--json', 'runs', 's'])).toEqual(['show']);
  expect(await offered(['run', '--exchange', ''])).toEqual([...EXCHANGES.keys()]);
  expect(await offered(['backfill', '--interval', '1', '--exchange', 'c'])).toEqual(['coinbase']);
  expect(await offered(['explain', 'ROWS_I'])).toEqual(['ROWS_INVALID']);
  expect(await offered(['run', '--date', ''])).toEqual(['']);
  expect(await offered(['completion', ''])).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
});

test.each(['zsh', 'fish'])('the completion for %s names every command and option that bash knows', async (shell) => {
  const { out: bash } = await candlekeep(['completion', 'bash']);
  const { exit, out } = await candlekeep(['completion', shell]);
  expect(exit).toBe(0);
  const words = new Set(bash.match(/(?<=[' ])--[a-z-]+|(?<=')[a-z][a-z -]*(?='\))/g));
  expect(words.size).toBeGreaterThan(40);
  for (const word of words)
    expect(out).toMatch(
      new RegExp(String.raw`(?<![\w-])${shell === 'fish' ? word.replace(/^--/, '-l ') : word}(?![\w-])`),
    );
});
