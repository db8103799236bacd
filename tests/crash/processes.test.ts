import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { realClock } from '../../src/kernel/clock.ts';
import { realFiles } from '../../src/kernel/files.ts';
import { seededRandom } from '../../src/kernel/random.ts';
import { dayRange } from '../../src/market/partition.ts';
import type { FaultPlan } from '../../src/rehearsal/fault-plan.ts';
import { serveOnLoopback } from '../../src/rehearsal/loopback.ts';
import { standInBinance } from '../../src/rehearsal/stand-in-binance.ts';
import type { StandInExchange } from '../../src/rehearsal/stand-in-venue.ts';
import { compareWithTruth } from '../../src/rehearsal/truth.ts';
import { loadTapes } from '../../src/rehearsal/tapes.ts';
import { openReader } from '../../src/surface/reader.ts';

const ROOT = join(import.meta.dirname, '../..');
const WORLD = loadTapes(realFiles, join(ROOT, 'tapes/binance'));
const DAYS = { start: '2024-06-01', end: '2024-06-30' };
const BACKFILL = ['backfill', '--start', DAYS.start, '--end', DAYS.end, '--json'];

interface Stage {
  readonly venue: StandInExchange;
  readonly dataDir: string;
  start(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<{ exit: number | null; stdout: string }> };
}

async function stage(plan: FaultPlan): Promise<Stage> {
  const venue = standInBinance({ world: WORLD, plan });
  const server = await serveOnLoopback(venue.handle, { clock: realClock });
  const dataDir = mkdtempSync(join(tmpdir(), 'candlekeep-crash-'));
  onTestFinished(async () => {
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return {
    venue,
    dataDir,
    start: (args) => {
      const env = { ...process.env, CANDLEKEEP_BINANCE_URL: server.url, CANDLEKEEP_DATA_DIR: dataDir, LOG_LEVEL: 'silent' };
      const child = spawn(process.execPath, [join(ROOT, 'src/surface/main.ts'), ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      const chunks: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      const ended = new Promise<{ exit: number | null; stdout: string }>((resolve) => child.on('close', (exit) => resolve({ exit, stdout: Buffer.concat(chunks).toString() })));
      return { child, ended };
    },
  };
}

async function expectEveryCandle(dataDir: string): Promise<void> {
  const reader = openReader(dataDir);
  const range = { fromMs: dayRange(DAYS.start).fromMs, toMs: dayRange(DAYS.end).toMs };
  for (const recorded of WORLD.series.filter((series) => series.interval === '1h')) {
    const stored = await reader.candles({ exchange: 'binance', symbol: recorded.symbol, interval: '1h', from: DAYS.start, to: DAYS.end });
    const rows = recorded.rows.filter((row) => row[0] >= range.fromMs && row[0] < range.toMs);
    expect(compareWithTruth(stored, rows, recorded.columns)).toEqual({ recorded: 720, lost: 0, doubled: 0, invented: 0, wrong: 0 });
  }
  reader.close();
  const leftovers = readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.tmp-'));
  expect(leftovers).toEqual([]);
}

test('killed with -9 at twelve random moments and started again each time, a backfill ends with every candle stored once', async () => {
  const seed = process.env['CANDLEKEEP_SEED'] ?? 'kill nine';
  const random = seededRandom(seed);
  const { venue, dataDir, start } = await stage({ seed, rules: [{ match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'slow', delayMs: 60 } }] });
  for (let kill = 0; kill < 12; kill++) {
    const { child, ended } = start([...BACKFILL, '--force']); // each time everything is asked and rebuilt
    await realClock.sleep(150 + random.next() * 700);
    child.kill('SIGKILL');
    await ended;
  }
  const { exit, stdout } = await start(BACKFILL).ended;
  expect({ exit, seed }).toEqual({ exit: 0, seed });
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, pending: 0 });
  await expectEveryCandle(dataDir);
  const checked = await start(['check-gaps', '--start', DAYS.start, '--end', DAYS.end, '--verify', '--json']).ended;
  expect(JSON.parse(checked.stdout)).toMatchObject({ ok: true, discrepancies: [], totals: { expected: 2_160, present: 2_160 } });
  expect(venue.log.length).toBeGreaterThan(3);
});

test.each([['SIGINT', 130], ['SIGTERM', 143]] as const)('%s during a wait the venue asked for ends the process at once with exit %i, one document and the command that resumes', async (signal, exitCode) => {
  const { venue, dataDir, start } = await stage({ seed: 'wait', rules: [{ match: { symbol: 'SOLUSDT' }, on: { nth: [1] }, fault: { kind: 'status', status: 429, retryAfter: '10' } }] });
  const { child, ended } = start(BACKFILL);
  while (!venue.log.some((entry) => entry.status === 429)) await realClock.sleep(20);
  await realClock.sleep(200);
  child.kill(signal);
  const { exit, stdout } = await ended;
  expect(exit).toBe(exitCode);
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, exit: exitCode, runs: [{ outcome: 'cancelled' }], resume: `candlekeep backfill --start ${DAYS.start} --end ${DAYS.end}` });
  expect((await start(BACKFILL).ended).exit).toBe(0);
  await expectEveryCandle(dataDir);
});

test('two backfills of the same days at once: one does the work, the other says who holds it, and nothing is doubled', async () => {
  const { dataDir, start } = await stage({ seed: 'two', rules: [{ match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'slow', delayMs: 2_500 } }] });
  const both = [start(BACKFILL), start(BACKFILL)];
  const exits = (await Promise.all(both.map(({ ended }) => ended))).map(({ exit }) => exit ?? -1).toSorted((a, b) => a - b);
  expect([[0, 0], [0, 9]]).toContainEqual(exits);
  expect((await start(BACKFILL).ended).exit).toBe(0);
  await expectEveryCandle(dataDir);
});

test('a cancel request from another process stops a run within its next second', async () => {
  const { venue, start } = await stage({ seed: 'cancel', rules: [{ match: { symbol: 'SOLUSDT' }, on: { nth: [1] }, fault: { kind: 'status', status: 429, retryAfter: '50' } }] });
  const running = start(BACKFILL);
  while (!venue.log.some((entry) => entry.status === 429)) await realClock.sleep(20);
  const listed = JSON.parse((await start(['runs', 'list', '--json']).ended).stdout) as { items: { id: string }[] };
  expect((await start(['runs', 'cancel', listed.items[0]?.id ?? '']).ended).exit).toBe(0);
  expect(JSON.parse((await running.ended).stdout)).toMatchObject({ ok: false, runs: [{ outcome: 'cancelled' }] });
});

test('a second Ctrl-C ends the process at once and loses nothing', async () => {
  const { venue, dataDir, start } = await stage({ seed: 'twice', rules: [{ match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'slow', delayMs: 400 } }] });
  const { child, ended } = start(BACKFILL);
  while (!venue.log.some((entry) => entry.path === '/api/v3/klines')) await realClock.sleep(20);
  child.kill('SIGINT');
  child.kill('SIGINT');
  expect((await ended).exit).toBe(130);
  expect((await start(BACKFILL).ended).exit).toBe(0);
  await expectEveryCandle(dataDir);
});

test('a venue that told one process to stay away is left alone by another that starts meanwhile', async () => {
  const { venue, start } = await stage({ seed: 'gate', rules: [{ match: { path: '/api/v3/klines' }, on: { nth: [1] }, fault: { kind: 'status', status: 429, retryAfter: '40' } }] });
  const first = start(BACKFILL);
  while (!venue.log.some((entry) => entry.status === 429)) await realClock.sleep(20);
  const second = start(['backfill', '--start', '2020-01-01', '--end', '2020-01-31', '--interval', '1d', '--json']);
  await realClock.sleep(2_500); // long enough to have asked
  const asked = venue.log.length;
  first.child.kill('SIGINT');
  second.child.kill('SIGINT');
  expect([(await first.ended).exit, (await second.ended).exit]).toEqual([130, 130]);
  expect(venue.log.filter((entry) => entry.sentWhileClosed)).toEqual([]);
  expect(venue.log.length).toBe(asked);
});

test('a refused key stops every process until resume says otherwise', async () => {
  const { venue, dataDir, start } = await stage({ seed: 'key', rules: [{ match: { path: '/api/v3/klines' }, on: { nth: [1, 2, 3] }, fault: { kind: 'status', status: 401 } }] });
  expect((await start(BACKFILL).ended).exit).toBe(4);
  const asked = venue.log.length;
  for (const args of [BACKFILL, ['run', '--json'], ['heal', '--json']]) {
    const { exit, stdout } = await start(args).ended;
    expect({ args, exit, document: JSON.parse(stdout) as unknown }).toMatchObject({ exit: 4, document: { ok: false, exit: 4, error: { code: 'UNAUTHORIZED' } } });
  }
  expect(venue.log.length).toBe(asked);
  expect(JSON.parse((await start(['resume', '--json']).ended).stdout)).toMatchObject({ schema: 1, ok: true, exit: 0, lifted: [{ exchange: 'binance', code: 'UNAUTHORIZED' }] });
  expect((await start(BACKFILL).ended).exit).toBe(0);
  await expectEveryCandle(dataDir);
});
