import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { DIRECT } from '../../src/kernel/http.ts';
import { memoryLog } from '../../src/kernel/memory-log.ts';
import { realFiles } from '../../src/kernel/files.ts';
import { seededRandom } from '../../src/kernel/random.ts';
import { VirtualClock } from '../../src/kernel/virtual-clock.ts';
import type { Interval } from '../../src/market/interval.ts';
import { openPipeline, type Pipeline } from '../../src/engine/pipeline.ts';
import { materialise } from '../../src/engine/materialise.ts';
import { heal } from '../../src/engine/recovery-turn.ts';
import type { Settings } from '../../src/engine/settings.ts';
import type { WorkRequest, WorkResult } from '../../src/engine/work.ts';
import type { FaultPlan } from '../../src/rehearsal/fault-plan.ts';
import type { StandInHandler } from '../../src/rehearsal/reply.ts';
import { socketlessHttp } from '../../src/rehearsal/socketless.ts';
import { standInBinance } from '../../src/rehearsal/stand-in-binance.ts';
import type { StandInExchange } from '../../src/rehearsal/stand-in-venue.ts';
import { loadTapes, type World } from '../../src/rehearsal/world.ts';

export const TAPES = loadTapes(realFiles, join(import.meta.dirname, '../../tapes/binance'));
const ORIGIN = 'http://binance.test';
/** After every recording, so that each of its days is due. */
const START_MS = Date.UTC(2026, 5, 1, 12);

export interface Rehearsal {
  readonly pipeline: Pipeline;
  readonly clock: VirtualClock;
  readonly venue: StandInExchange;
  readonly log: ReturnType<typeof memoryLog>;
  readonly dataDir: string;
  /** Runs to the end in virtual time. */
  run(work: Partial<WorkRequest> & Pick<WorkRequest, 'days'>): Promise<WorkResult>;
  heal(keptWaits: 'all' | 'none'): Promise<WorkResult>;
  /** Candle requests the venue has seen so far. */
  candleRequests(): number;
}

export interface RehearsalOptions {
  readonly seed: string;
  readonly symbols: readonly string[];
  readonly interval: Interval;
  readonly world?: World;
  readonly plan?: FaultPlan;
  readonly settings?: Partial<Settings>;
  readonly dataDir?: string;
  /** Other hosts by origin; one that is absent refuses connections. */
  readonly hosts?: (venue: StandInExchange) => Readonly<Record<string, StandInHandler>>;
  readonly startMs?: number;
}

/** A pipeline on a real data directory, in virtual time, against the stand-in exchange without sockets. */
export async function rehearse(options: RehearsalOptions): Promise<Rehearsal> {
  const dataDir = options.dataDir ?? temporaryDirectory();
  const random = seededRandom(options.seed);
  const clock = new VirtualClock({ random: random.fork('clock'), startMs: options.startMs ?? START_MS });
  const venue = standInBinance({ world: options.world ?? TAPES, ...(options.plan ? { plan: options.plan } : {}) });
  const log = memoryLog();
  const settings: Settings = {
    dataDir, markets: new Map([['binance', options.symbols]]), intervals: [options.interval], origins: { binance: ORIGIN },
    requestTimeoutMs: 10_000, deadlineMs: 300_000, recheckAfterMs: 21_600_000, rateShare: 0.9, network: DIRECT, hub: null, ...options.settings,
  };
  const pipeline = await openPipeline(settings, { log, world: { clock, random, http: socketlessHttp(clock, { [ORIGIN]: venue.handle, ...options.hosts?.(venue) }) } });
  onTestFinished(() => pipeline.close());
  const control = { signal: new AbortController().signal, onProgress: () => undefined };
  return {
    pipeline, clock, venue, log, dataDir,
    run: (work) => clock.runUntil(materialise(pipeline, {
      markets: settings.markets, intervals: settings.intervals, selection: 'missing', keptWaits: 'holes', assets: ['bronze', 'silver'], trigger: 'manual', tags: {}, ...work,
    }, control)),
    heal: (keptWaits) => clock.runUntil(heal(pipeline, { keptWaits }, control)),
    candleRequests: () => venue.log.filter((entry) => entry.path === '/api/v3/klines').length,
  };
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'candlekeep-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
