import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { DIRECT } from '../../src/platform/network-settings.ts';
import type { Ports } from '../../src/platform/ports/ports.ts';
import { memoryLog } from './virtual/memory-log.ts';
import { seededRandom } from '../../src/platform/seeded-random.ts';
import { VirtualClock } from './virtual/virtual-clock.ts';
import type { Exchange } from '../../src/domain/exchange.ts';
import type { Interval } from '../../src/domain/interval.ts';
import { dayRange, type Day } from '../../src/domain/partition.ts';
import type { MarketSymbol } from '../../src/domain/symbol.ts';
import { NO_CHANNELS } from '../../src/alerting/model/settings.ts';
import { CancelledError } from '../../src/errors/classify.ts';
import { loadAdapters, type Adapters } from '../../src/exchanges/registry.ts';
import { readCandles } from '../../src/engine/queries/candle-reader.ts';
import { runDaemon, type DaemonWork, type Tick } from '../../src/engine/daemon/daemon.ts';
import { gapReport, type GapReport } from '../../src/engine/queries/gap-report.ts';
import type { Pipeline } from '../../src/engine/core/pipeline.ts';
import { openPipeline, type WorldPorts } from '../../src/api/open-pipeline.ts';
import { materialise } from '../../src/engine/runs/materialise.ts';
import { heal } from '../../src/engine/runs/heal.ts';
import type { Settings } from '../../src/engine/core/settings.ts';
import { venuesOf } from '../../src/engine/core/exchanges.ts';
import type { WorkRequest, WorkResult } from '../../src/engine/core/work.ts';
import type { FaultPlan } from '../../src/simulation/fault-plan.ts';
import type { StandInHandler } from '../../src/simulation/stand-ins/reply.ts';
import { socketlessHttp } from './stand-ins/socketless.ts';
import { STAND_INS, type StandIn } from '../../src/simulation/stand-ins/stand-ins.ts';
import { asServed } from './served-series.ts';
import type { StandInExchange } from '../../src/simulation/stand-ins/stand-in-exchange.ts';
import { compareWithTruth, type Comparison } from '../../src/simulation/truth.ts';
import { worldOf, type World } from '../../src/simulation/world.ts';
import type { RecordedSeries } from '../../src/simulation/recorded-series.ts';
import { RECORDINGS } from './recordings.ts';

/** The repository's recordings of Binance. */
export const BINANCE_RECORDINGS = RECORDINGS.get('binance') ?? worldOf([]);

/** After every recording, so that each of its days is due. */
export const START_MS = Date.UTC(2026, 5, 1, 12);

/** The symbols of one exchange in a simulation, and its behaviour. */
export interface VenueScript {
  readonly symbols: readonly MarketSymbol[];
  /** Default: the repository's recordings. */
  readonly world?: World;
  readonly plan?: FaultPlan;
  /** Wraps the connection between pipeline and stand-in. */
  readonly wire?: (handle: StandInHandler) => StandInHandler;
  /** Other hosts by origin; unknown hosts refuse connections. */
  readonly hosts?: (venue: StandInExchange) => Readonly<Record<string, StandInHandler>>;
}

interface SimulationSetup {
  readonly seed: string;
  readonly interval: Interval;
  readonly settings?: Partial<Settings>;
  readonly dataDir?: string;
  readonly startMs?: number;
  readonly adapters?: Adapters;
  /** Connections to alert channels, the Hub and the heartbeat monitor. */
  readonly outside?: (clock: VirtualClock) => Partial<Pick<WorldPorts, 'fetch' | 'mailTo'>>;
  readonly standIns?: ReadonlyMap<Exchange, StandIn>;
}

/** A simulation with Binance only. */
export type SimulationOptions = SimulationSetup & VenueScript;
/** A simulation with several exchanges. */
export type ExchangesSimulationOptions = SimulationSetup & { readonly venues: Readonly<Record<Exchange, VenueScript>> };

export interface Simulation {
  readonly pipeline: Pipeline;
  readonly clock: VirtualClock;
  /** The stand-ins by exchange. */
  readonly venues: Readonly<Record<Exchange, StandInExchange>>;
  /** The only one, or the first. */
  readonly venue: StandInExchange;
  readonly log: ReturnType<typeof memoryLog>;
  readonly dataDir: string;
  /** Runs to the end in virtual time. */
  run(work: Partial<WorkRequest> & Pick<WorkRequest, 'days'>): Promise<WorkResult>;
  heal(waitPolicy: 'all' | 'none'): Promise<WorkResult>;
  /** Candle requests the venues have seen so far. */
  candleRequests(): number;
  /** Compares the stored candles of a series with those of its venue. */
  compare(
    exchange: Exchange,
    recorded: RecordedSeries,
    days: { readonly start: Day; readonly end: Day },
  ): Promise<Comparison>;
}

/** A pipeline on a real data directory, in virtual time, against stand-in exchanges without sockets. */
export const simulate = ({ symbols, world, plan, wire, hosts, ...setup }: SimulationOptions): Promise<Simulation> =>
  simulateExchanges({
    ...setup,
    venues: {
      binance: {
        symbols,
        ...(world ? { world } : {}),
        ...(plan ? { plan } : {}),
        ...(wire ? { wire } : {}),
        ...(hosts ? { hosts } : {}),
      },
    },
  });

const REGISTERED = await loadAdapters();

const originOf = (exchange: Exchange): string => `http://${exchange}.test`;

export async function simulateExchanges(options: ExchangesSimulationOptions): Promise<Simulation> {
  const { standIns = STAND_INS, adapters = REGISTERED } = options;
  const dataDir = options.dataDir ?? temporaryDirectory();
  const random = seededRandom(options.seed);
  const clock = new VirtualClock({ random: random.fork('clock'), startMs: options.startMs ?? START_MS });
  const scripts = Object.entries(options.venues);
  const standInOf = (exchange: Exchange): StandIn => standIns.get(exchange) as StandIn;
  const venues = Object.fromEntries(
    scripts.map(([exchange, { world, plan }]) => [
      exchange,
      standInOf(exchange).open({ world: world ?? RECORDINGS.get(exchange) ?? worldOf([]), ...(plan ? { plan } : {}) }),
    ]),
  );
  const handlers = Object.fromEntries(
    scripts.flatMap(([exchange, { wire, hosts }]): [string, StandInHandler][] => {
      const venue = venues[exchange] as StandInExchange;
      return [[originOf(exchange), wire?.(venue.handle) ?? venue.handle], ...Object.entries(hosts?.(venue) ?? {})];
    }),
  );
  const log = memoryLog();
  const settings: Settings = {
    dataDir,
    markets: new Map(scripts.map(([exchange, { symbols }]) => [exchange, symbols])),
    intervals: [options.interval],
    origins: Object.fromEntries(scripts.map(([exchange]) => [exchange, originOf(exchange)])),
    requestTimeoutMs: 10_000,
    deadlineMs: 300_000,
    recheckAfterMs: 21_600_000,
    rateShare: 0.9,
    network: DIRECT,
    hub: null,
    alerts: NO_CHANNELS,
    tags: {},
    ...options.settings,
  };
  const pipeline = await openPipeline(settings, {
    log,
    world: { clock, random, http: socketlessHttp(clock, handlers), ...options.outside?.(clock) },
    adapters,
  });
  onTestFinished(() => pipeline.close());
  const control = { signal: new AbortController().signal, onProgress: () => undefined };
  return {
    pipeline,
    clock,
    venues,
    venue: Object.values(venues)[0] as StandInExchange,
    log,
    dataDir,
    run: (work) =>
      clock.runUntil(
        materialise(
          pipeline,
          {
            markets: settings.markets,
            intervals: settings.intervals,
            selection: 'missing',
            waitPolicy: 'holes',
            assets: ['bronze', 'silver'],
            trigger: 'manual',
            tags: {},
            ...work,
          },
          control,
        ),
      ),
    heal: (waitPolicy) => clock.runUntil(heal(pipeline, { waitPolicy }, control)),
    candleRequests: () =>
      Object.values(venues)
        .flatMap((venue) => venue.log)
        .filter((entry) => entry.candles !== null).length,
    compare: async (exchange, recorded, days) => {
      const range = { fromMs: dayRange(days.start).fromMs, toMs: dayRange(days.end).toMs };
      const { rows, columns, symbol, interval } = asServed(standInOf(exchange), recorded);
      const stored = await clock.runUntil(readCandles(pipeline, { series: { exchange, symbol, interval }, range }));
      return compareWithTruth(
        stored,
        rows.filter((row) => row[0] >= range.fromMs && row[0] < range.toMs),
        columns,
      );
    },
  };
}

/** The same pipeline on other ports; its resilience policies use them too. */
export const onPorts = (pipeline: Pipeline, ports: Ports): Pipeline => ({
  ...pipeline,
  ports,
  venues: venuesOf(ports, pipeline.settings, { adapters: REGISTERED, halts: pipeline.halts }),
});

/** The account of these days, recounted, with every hole. */
export const verifiedAccount = (
  { clock, pipeline }: Pick<Simulation, 'clock' | 'pipeline'>,
  { start, end }: { readonly start: Day; readonly end: Day },
): Promise<GapReport> =>
  clock.runUntil(
    gapReport(pipeline, {
      range: { fromMs: dayRange(start).fromMs, toMs: dayRange(end).toMs },
      markets: pipeline.settings.markets,
      intervals: pipeline.settings.intervals,
      verify: true,
      explained: true,
    }),
  );

/** Runs the daemon for some virtual time, as one process would. */
export async function keepFor(
  { clock, pipeline }: Pick<Simulation, 'clock' | 'pipeline'>,
  durationMs: number,
  work: Partial<DaemonWork> = {},
): Promise<readonly Tick[]> {
  const ticks: Tick[] = [];
  const stop = new AbortController();
  const running = runDaemon(
    pipeline,
    { ...daemonWork(pipeline), onTick: (tick) => ticks.push(tick), ...work },
    { signal: stop.signal, onProgress: () => undefined },
  );
  await clock.runUntil(clock.sleep(durationMs));
  stop.abort(new CancelledError('SIGTERM'));
  await clock.runUntil(running);
  return ticks;
}

/** The work of a daemon with this pipeline. */
export function daemonWork({ settings: { markets, intervals } }: Pipeline): DaemonWork {
  const known = (): Promise<typeof markets> => Promise.resolve(markets);
  return { intervals, markets: known, watched: known, onStarted: () => Promise.resolve(), onTick: () => undefined };
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'candlekeep-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
