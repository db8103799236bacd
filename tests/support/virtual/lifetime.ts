import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { dayRange } from '../../../src/domain/partition.ts';
import type { Ports } from '../../../src/platform/ports/ports.ts';
import type { GapReport } from '../../../src/engine/queries/gap-report.ts';
import { materialise } from '../../../src/engine/runs/materialise.ts';
import { heal } from '../../../src/engine/runs/heal.ts';
import type { StandInHandler } from '../../../src/simulation/stand-ins/reply.ts';
import { onPorts, simulate, verifiedAccount, type Simulation } from '../simulated.ts';

const HOUR_MS = 3_600_000;
const TODAY = '2024-06-15';
const TODAY_MS = dayRange(TODAY).fromMs;
const DAYS = { start: '2024-06-14', end: TODAY };
const SYMBOLS = ['BTC/USDT', 'ETH/USDT'];
/** Served with a wrong value until half past ten. */
const LATE_MS = TODAY_MS + 9 * HOUR_MS;
const SETTLED_MS = TODAY_MS + 10.5 * HOUR_MS;

const settling =
  (handle: StandInHandler): StandInHandler =>
  async (request, nowMs) => {
    const reply = await handle(request, nowMs);
    if (nowMs >= SETTLED_MS || reply.kind !== 'answer' || reply.status !== 200 || !request.path.endsWith('klines'))
      return reply;
    const rows = JSON.parse(Buffer.from(reply.body).toString()) as unknown[][];
    return {
      ...reply,
      body: Buffer.from(JSON.stringify(rows.map((row) => (row[0] === LATE_MS ? row.with(8, 1) : row)))),
    };
  };

/**
 * A directory with many events: a classified hole, a failing symbol that heals, a revised candle, and gold after each
 * step.
 */
export const startLifetime = (
  seed: string,
  options: { readonly dataDir?: string; readonly startMs?: number } = {},
): Promise<Simulation> =>
  simulate({
    seed,
    symbols: SYMBOLS,
    interval: '1h',
    startMs: TODAY_MS + 10 * HOUR_MS + 6_000,
    wire: settling,
    ...options,
    plan: {
      seed,
      rules: [
        {
          match: { path: '/api/v3/klines', symbol: 'ETHUSDT' },
          on: { fromMs: 0, toMs: SETTLED_MS },
          fault: { kind: 'status', status: 404 },
        },
        {
          match: { path: '/api/v3/klines' },
          on: { every: 1 },
          fault: { kind: 'missing-rows', fromMs: TODAY_MS - 20 * HOUR_MS, toMs: TODAY_MS - 19 * HOUR_MS },
        },
      ],
    },
  });

const control = { signal: new AbortController().signal, onProgress: () => undefined };

/**
 * Runs until half past eleven in three steps: a run, another one an hour later, and healing. `attempt` wraps each step.
 */
export async function runLifetime(
  { pipeline, clock }: Simulation,
  ports: Ports,
  attempt: (step: Promise<unknown>) => Promise<unknown>,
): Promise<void> {
  const alive = onPorts(pipeline, ports);
  const run = (): Promise<unknown> =>
    attempt(
      materialise(
        alive,
        {
          days: DAYS,
          markets: pipeline.settings.markets,
          intervals: ['1h'],
          selection: 'missing',
          waitPolicy: 'none',
          assets: ['bronze', 'silver', 'gold'],
          trigger: 'manual',
          tags: {},
        },
        control,
      ),
    );
  await run();
  await clock.runUntil(clock.sleep(Math.max(0, TODAY_MS + 11 * HOUR_MS + 6_000 - clock.nowMs())));
  await run();
  await clock.runUntil(clock.sleep(Math.max(0, TODAY_MS + 11.5 * HOUR_MS - clock.nowMs())));
  await attempt(heal(alive, { waitPolicy: 'none' }, control));
}

/** Runs every step once more, undisturbed. */
export async function settle(simulation: Simulation): Promise<void> {
  await runLifetime(simulation, simulation.pipeline.ports, (step) => simulation.clock.runUntil(step));
}

const accountOfLifetime = (simulation: Simulation): Promise<GapReport> => verifiedAccount(simulation, DAYS);

/** Silver, quarantine and gold with hashes; manifests, which contain run ids and response ids, without. */
export function filesOfLifetime({ dataDir }: Pick<Simulation, 'dataDir'>): string[] {
  const names = readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return names
    .filter((name) => /\/(?:silver|quarantine|gold)\//.test(name) || name.includes('.tmp-'))
    .toSorted()
    .map((name) =>
      /silver.*manifest\.json$/.test(name)
        ? name
        : `${name} ${createHash('sha256').update(readFileSync(name)).digest('hex')}`,
    )
    .map((line) => line.slice(dataDir.length));
}

/** Recorded corrections: none if a crash came before the wrong value was stored, never one twice. */
function correctionsOfLifetime({ dataDir }: Simulation): string[] {
  const path = join(dataDir, 'corrections.ndjson');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { symbol: string; timestamp: string; old: { trades: number } });
  return lines.map(({ symbol, timestamp, old }) => `${symbol} ${timestamp} ${old.trades}`);
}

/** The result of an undisturbed lifetime. */
export interface Outcome {
  readonly files: readonly string[];
  readonly totals: GapReport['totals'];
  readonly corrections: readonly string[];
}

export async function undisturbed(): Promise<Outcome> {
  const simulation = await startLifetime('undisturbed');
  await settle(simulation);
  return {
    files: filesOfLifetime(simulation),
    totals: (await accountOfLifetime(simulation)).totals,
    corrections: correctionsOfLifetime(simulation),
  };
}

/** The same files, the same verified account, and no correction twice. */
export async function expectSameOutcome(simulation: Simulation, wanted: Outcome, label: string): Promise<void> {
  expect(filesOfLifetime(simulation), label).toEqual(wanted.files);
  expect(await accountOfLifetime(simulation), label).toMatchObject({ totals: wanted.totals, discrepancies: [] });
  const corrections = correctionsOfLifetime(simulation);
  expect(corrections, label).toEqual(corrections.length === 0 ? [] : wanted.corrections);
}
