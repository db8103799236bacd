import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { realClock } from '../../src/platform/node/system-clock.ts';
import { realFiles } from '../../src/platform/node/disk-files.ts';
import { dayRange } from '../../src/domain/partition.ts';
import type { FaultPlan } from '../../src/simulation/fault-plan.ts';
import { serveOnLoopback } from '../../src/simulation/loopback.ts';
import { standInBinance } from '../../src/simulation/stand-ins/stand-in-binance.ts';
import type { StandInExchange } from '../../src/simulation/stand-ins/stand-in-exchange.ts';
import { compareWithTruth } from '../../src/simulation/truth.ts';
import { loadRecordings } from '../../src/simulation/recordings.ts';
import type { World } from '../../src/simulation/world.ts';
import { openReader } from '../../src/api/reader.ts';

export const ROOT = join(import.meta.dirname, '../..');
const WORLD = loadRecordings(realFiles, join(ROOT, 'recordings/binance'));
export const DAYS = { start: '2024-06-01', end: '2024-06-30' };
export const BACKFILL = ['backfill', '--start', DAYS.start, '--end', DAYS.end, '--json'];

/** A stand-in exchange in this process, and real processes of the program that use it. */
export interface CrashHarness {
  readonly venue: StandInExchange;
  readonly url: string;
  readonly dataDir: string;
  start(args: readonly string[]): {
    readonly child: ChildProcess;
    readonly ended: Promise<{ exit: number | null; stdout: string }>;
  };
}

export async function crashHarness(plan: FaultPlan, world: World = WORLD): Promise<CrashHarness> {
  const venue = standInBinance({ world, plan });
  const server = await serveOnLoopback(venue.handle, { clock: realClock });
  const dataDir = mkdtempSync(join(tmpdir(), 'candlekeep-crash-'));
  onTestFinished(async () => {
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return {
    venue,
    url: server.url,
    dataDir,
    start: (args) => {
      const env = {
        ...process.env,
        CANDLEKEEP_BINANCE_URL: server.url,
        CANDLEKEEP_DATA_DIR: dataDir,
        LOG_LEVEL: 'silent',
      };
      const child = spawn(process.execPath, [join(ROOT, 'src/cli/main.ts'), ...args], {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const chunks: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      const ended = new Promise<{ exit: number | null; stdout: string }>((resolve) =>
        child.on('close', (exit) => resolve({ exit, stdout: Buffer.concat(chunks).toString() })),
      );
      return { child, ended };
    },
  };
}

export async function expectEveryCandle(dataDir: string): Promise<void> {
  const reader = openReader(dataDir);
  const range = { fromMs: dayRange(DAYS.start).fromMs, toMs: dayRange(DAYS.end).toMs };
  for (const recorded of WORLD.series.filter((series) => series.interval === '1h')) {
    const stored = await reader.candles({
      exchange: 'binance',
      symbol: recorded.symbol,
      interval: '1h',
      from: DAYS.start,
      to: DAYS.end,
    });
    const rows = recorded.rows.filter((row) => row[0] >= range.fromMs && row[0] < range.toMs);
    expect(compareWithTruth(stored, rows, recorded.columns)).toEqual({
      recorded: 720,
      lost: 0,
      doubled: 0,
      invented: 0,
      wrong: 0,
    });
  }
  reader.close();
  expect(leftovers(dataDir)).toEqual([]);
}

/** Temporary files that a crash left behind. */
export const leftovers = (dataDir: string): string[] =>
  readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.tmp-'));
