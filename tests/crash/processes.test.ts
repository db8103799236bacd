import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { realClock } from '../../src/platform/node/system-clock.ts';
import { seededRandom } from '../../src/platform/seeded-random.ts';
import { dayRange } from '../../src/domain/partition.ts';
import { mergeRanges, type TimeRange } from '../../src/domain/range.ts';
import { everyPage } from '../../src/lake/bronze/page-index.ts';
import { openState } from '../../src/engine/core/state.ts';
import { openSqliteStore } from '../../src/platform/node/sqlite-store.ts';
import { LEASE_TTL_MS } from '../../src/state/leases.ts';
import type { FaultPlan } from '../../src/simulation/fault-plan.ts';
import { generatedWorld } from '../../src/simulation/generated-world.ts';
import { BACKFILL, DAYS, expectEveryCandle, leftovers, crashHarness, type CrashHarness } from './harness.ts';

/** Two weeks of minutes: sixty pages, fourteen silver files. */
const MINUTES = { start: '2024-06-01', end: '2024-06-14' };
const MARKETS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'].map(
  (symbol) =>
    ({
      symbol,
      venueSymbol: symbol.replace('/', ''),
      interval: '1m',
      range: { fromMs: dayRange(MINUTES.start).fromMs, toMs: dayRange(MINUTES.end).toMs },
    }) as const,
);
const KILLS = 50;

test(`a backfill killed ${KILLS} times and restarted gives the same bytes, and requests no stored page again`, {
  timeout: 240_000,
}, async () => {
  const seed = process.env['CANDLEKEEP_SEED'] ?? 'kill nine';
  const random = seededRandom(seed);
  const world = generatedWorld('minutes', MARKETS);
  const slow: FaultPlan = {
    seed,
    rules: [{ match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'slow', delayMs: 60 } }],
  };
  const backfill = ['backfill', '--interval', '1m', '--start', MINUTES.start, '--end', MINUTES.end, '--json'];
  const whole = await crashHarness({ seed, rules: [] }, world);
  expect((await whole.start(backfill).ended).exit).toBe(0);
  let disturbed = await crashHarness(slow, world);
  for (let kill = 0; kill < KILLS; kill++) {
    const { child, ended } = disturbed.start(backfill);
    await realClock.sleep(350 + random.next() * 700);
    const isDone = child.exitCode !== null;
    child.kill('SIGKILL');
    await ended;
    if (!isDone) continue;
    await expectSame(disturbed, whole, { backfill, seed });
    disturbed = await crashHarness(slow, world);
  }
  await expectSame(disturbed, whole, { backfill, seed });
});

async function expectSame(
  disturbed: CrashHarness,
  whole: CrashHarness,
  { backfill, seed }: { readonly backfill: readonly string[]; readonly seed: string },
): Promise<void> {
  expect({ seed, exit: (await disturbed.start(backfill).ended).exit }).toEqual({ seed, exit: 0 });
  const parquet = (dataDir: string): string[] => everyFile(dataDir).filter((line) => line.includes('.parquet'));
  expect(parquet(disturbed.dataDir), seed).toEqual(parquet(whole.dataDir));
  expect(leftovers(disturbed.dataDir)).toEqual([]);
  const checked = await disturbed.start([
    'check-gaps',
    '--interval',
    '1m',
    '--start',
    MINUTES.start,
    '--end',
    MINUTES.end,
    '--verify',
    '--json',
  ]).ended;
  expect(JSON.parse(checked.stdout), seed).toMatchObject({
    ok: true,
    discrepancies: [],
    totals: { expected: 60_480, present: 60_480 },
  });
  const store = openState(openSqliteStore, join(disturbed.dataDir, 'state.db'));
  const pages = await store.read(everyPage);
  store.close();
  for (const own of Map.groupBy(pages, ({ series }) => series.symbol).values()) {
    const lengthOf = (ranges: readonly TimeRange[]): number =>
      ranges.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
    expect(lengthOf(own.map(({ range }) => range)), seed).toBe(lengthOf(mergeRanges(own.map(({ range }) => range))));
  }
}

/** Longer than a lease lasts without renewal. Source: LEASE_TTL_MS. */
const BEYOND_LEASE_MS = LEASE_TTL_MS + 2_000;

test('a process resumed after another took over its expired leases and its work changes nothing', async () => {
  const { venue, dataDir, start } = await crashHarness({
    seed: 'zombie',
    rules: [{ match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'slow', delayMs: 300 } }],
  });
  const zombie = start(BACKFILL);
  while (venue.log.length === 0) await realClock.sleep(20);
  await realClock.sleep(100); // it waits for the response by then, and holds no lock of the store
  zombie.child.kill('SIGSTOP');
  await realClock.sleep(BEYOND_LEASE_MS);
  expect((await start(BACKFILL).ended).exit).toBe(0);
  const before = everyFile(dataDir);
  zombie.child.kill('SIGCONT');
  const { exit, stdout } = await zombie.ended;
  expect({ exit, error: (JSON.parse(stdout) as { error: { code: string } }).error.code }).toEqual({
    exit: 9,
    error: 'CELLS_LEASED',
  });
  expect(everyFile(dataDir)).toEqual(before);
  await expectEveryCandle(dataDir);
  const checked = await start(['check-gaps', '--start', DAYS.start, '--end', DAYS.end, '--verify', '--json']).ended;
  expect(JSON.parse(checked.stdout)).toMatchObject({
    ok: true,
    discrepancies: [],
    totals: { expected: 2_160, present: 2_160 },
  });
});

/** Silver and quarantine. Bronze may differ: no index names what a zombie appended to its own segment. */
const everyFile = (dataDir: string): string[] =>
  readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
    .filter((name) => /^(?:silver|quarantine)\/.*\.(?:parquet|json)$/.test(name))
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(dataDir, name)))
          .digest('hex')}`,
    );

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  '%s during a Retry-After wait ends the process immediately with exit %i, a document and the resume command',
  async (signal, exitCode) => {
    const { venue, dataDir, start } = await crashHarness({
      seed: 'wait',
      rules: [
        { match: { symbol: 'SOLUSDT' }, on: { nth: [1] }, fault: { kind: 'status', status: 429, retryAfter: '10' } },
      ],
    });
    const { child, ended } = start(BACKFILL);
    while (!venue.log.some((entry) => entry.status === 429)) await realClock.sleep(20);
    await realClock.sleep(200);
    child.kill(signal);
    const { exit, stdout } = await ended;
    expect(exit).toBe(exitCode);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      exit: exitCode,
      runs: [{ outcome: 'cancelled' }],
      resume: `candlekeep backfill --start ${DAYS.start} --end ${DAYS.end}`,
    });
    expect((await start(BACKFILL).ended).exit).toBe(0);
    await expectEveryCandle(dataDir);
  },
);

test('of two concurrent backfills of the same days one works and the other exits with 9', async () => {
  const { dataDir, start } = await crashHarness({
    seed: 'two',
    rules: [{ match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'slow', delayMs: 8_000 } }],
  });
  const both = [start(BACKFILL), start(BACKFILL)];
  const exits = (await Promise.all(both.map(({ ended }) => ended)))
    .map(({ exit }) => exit ?? -1)
    .toSorted((a, b) => a - b);
  expect(exits).toEqual([0, 9]);
  expect((await start(BACKFILL).ended).exit).toBe(0);
  await expectEveryCandle(dataDir);
});

test('a cancel request from another process stops a run within its next second', async () => {
  const { venue, start } = await crashHarness({
    seed: 'cancel',
    rules: [
      { match: { symbol: 'SOLUSDT' }, on: { nth: [1] }, fault: { kind: 'status', status: 429, retryAfter: '50' } },
    ],
  });
  const running = start(BACKFILL);
  while (!venue.log.some((entry) => entry.status === 429)) await realClock.sleep(20);
  const listed = JSON.parse((await start(['runs', 'list', '--json']).ended).stdout) as { items: { id: string }[] };
  expect((await start(['runs', 'cancel', listed.items[0]?.id ?? '']).ended).exit).toBe(0);
  expect(JSON.parse((await running.ended).stdout)).toMatchObject({ ok: false, runs: [{ outcome: 'cancelled' }] });
});

test('a second Ctrl-C ends the process immediately and loses nothing', async () => {
  const { venue, dataDir, start } = await crashHarness({
    seed: 'twice',
    rules: [{ match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'slow', delayMs: 400 } }],
  });
  const { child, ended } = start(BACKFILL);
  while (!venue.log.some((entry) => entry.path === '/api/v3/klines')) await realClock.sleep(20);
  child.kill('SIGINT');
  child.kill('SIGINT');
  expect((await ended).exit).toBe(130);
  expect((await start(BACKFILL).ended).exit).toBe(0);
  await expectEveryCandle(dataDir);
});

test('a Retry-After received by one process is kept by another that starts meanwhile', async () => {
  const { venue, start } = await crashHarness({
    seed: 'gate',
    rules: [
      { match: { path: '/api/v3/klines' }, on: { nth: [1] }, fault: { kind: 'status', status: 429, retryAfter: '40' } },
    ],
  });
  const first = start(BACKFILL);
  while (!venue.log.some((entry) => entry.status === 429)) await realClock.sleep(20);
  const second = start(['backfill', '--start', '2020-01-01', '--end', '2020-01-31', '--interval', '1d', '--json']);
  const hasBegun = async (): Promise<boolean> =>
    (
      JSON.parse((await start(['runs', 'list', '--json']).ended).stdout) as { items: { interval: string }[] }
    ).items.some(({ interval }) => interval === '1d');
  while (!(await hasBegun())) await realClock.sleep(20);
  await realClock.sleep(1_000); // long enough for a request
  const requests = venue.log.length;
  first.child.kill('SIGINT');
  second.child.kill('SIGINT');
  expect([(await first.ended).exit, (await second.ended).exit]).toEqual([130, 130]);
  expect(venue.log.filter((entry) => entry.sentWhileClosed)).toEqual([]);
  expect(venue.log.length).toBe(requests);
});

test('a rejected key halts every process until resume', async () => {
  const { venue, dataDir, start } = await crashHarness({
    seed: 'key',
    rules: [{ match: { path: '/api/v3/klines' }, on: { nth: [1, 2, 3] }, fault: { kind: 'status', status: 401 } }],
  });
  expect((await start(BACKFILL).ended).exit).toBe(4);
  const requests = venue.log.length;
  for (const args of [BACKFILL, ['run', '--json'], ['heal', '--json']]) {
    const { exit, stdout } = await start(args).ended;
    expect({ args, exit, document: JSON.parse(stdout) as unknown }).toMatchObject({
      exit: 4,
      document: { ok: false, exit: 4, error: { code: 'UNAUTHORIZED' } },
    });
  }
  expect(venue.log.length).toBe(requests);
  expect(JSON.parse((await start(['resume', '--json']).ended).stdout)).toMatchObject({
    schema: 1,
    ok: true,
    exit: 0,
    lifted: [{ exchange: 'binance', code: 'UNAUTHORIZED' }],
  });
  expect((await start(BACKFILL).ended).exit).toBe(0);
  await expectEveryCandle(dataDir);
});
