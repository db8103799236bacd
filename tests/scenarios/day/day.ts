import { all } from '../../../src/platform/statements.ts';
import { intervalMs } from '../../../src/domain/interval.ts';
import { dayOf, dayRange } from '../../../src/domain/partition.ts';
import type { TimeRange } from '../../../src/domain/range.ts';
import { symbolJoined, symbolPath } from '../../../src/domain/symbol.ts';
import { firingAlerts } from '../../../src/alerting/model/alerts.ts';
import { countFaults } from '../../../src/state/fault-log.ts';
import { listRuns, type Run } from '../../../src/state/runs.ts';
import { latenessMs } from '../../../src/metrics/ledger-metrics.ts';
import { CancelledError } from '../../../src/errors/classify.ts';
import { readCandles } from '../../../src/engine/queries/candle-reader.ts';
import { runDaemon } from '../../../src/engine/daemon/daemon.ts';
import { gapReport, type GapReport } from '../../../src/engine/queries/gap-report.ts';
import type { Pipeline } from '../../../src/engine/core/pipeline.ts';
import { watermarksOf } from '../../../src/engine/monitoring/watermarks.ts';
import { generatedWorld } from '../../../src/simulation/generated-world.ts';
import type { StandInHandler } from '../../../src/simulation/stand-ins/reply.ts';
import { STAND_INS, type StandIn } from '../../../src/simulation/stand-ins/stand-ins.ts';
import { asServed } from '../../support/served-series.ts';
import type { RequestEntry } from '../../../src/simulation/stand-ins/stand-in-exchange.ts';
import { compareWithTruth, type Comparison } from '../../../src/simulation/truth.ts';
import type { World } from '../../../src/simulation/world.ts';
import { killable } from '../../support/virtual/killable.ts';
import { daemonWork, onPorts } from '../../support/simulated.ts';
import { simulateWithAlerts } from '../../support/notified.ts';
import { changesOf, END_MS, planAt, START_MS, timeAt } from './fault-schedule.ts';

const INTERVAL = '1h';
const STEP_MS = intervalMs(INTERVAL);
const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT', 'XRP/USDT', 'ADA/USDT', 'LTC/USDT'];
const EXCHANGES = ['binance', 'coinbase', 'okx'] as const;
/** The daemon also keeps the two days before it complete. */
const DUE_DAYS = { start: dayOf(START_MS - 2 * 86_400_000), end: dayOf(END_MS - 86_400_000) };
const DUE_RANGE: TimeRange = { fromMs: dayRange(DUE_DAYS.start).fromMs, toMs: dayRange(DUE_DAYS.end).toMs };
const SAMPLE_EVERY_MS = 60_000;
/** The process is killed while it fetches this hour, and restarted after `DOWN_MS`. */
const KILLED_FROM_MS = timeAt('22:00');
const DOWN_MS = 25 * 60_000;
/** The longest grace of a venue. */
const SETTLED_MS = 60_000;
const RUNS_MAX = 10_000;

type Simulation = Awaited<ReturnType<typeof simulateWithAlerts>>;

const worldOfVenue = (seed: string, exchange: string): World =>
  generatedWorld(
    `${seed} ${exchange}`,
    SYMBOLS.map((symbol) => ({
      symbol,
      venueSymbol: exchange === 'binance' ? symbolJoined(symbol) : symbolPath(symbol),
      interval: INTERVAL,
      range: { fromMs: DUE_RANGE.fromMs - 86_400_000, toMs: END_MS + 86_400_000 },
    })),
  );

/** The greatest lateness of an exchange's newest candle. */
export interface Lateness {
  readonly exchange: string;
  readonly lateMs: number;
  readonly atMs: number;
}

/** The outcome of the day. */
export interface DayReport {
  readonly seed: string;
  readonly report: GapReport;
  /** Of every series, the closed days and today as far as it has closed. */
  readonly comparisons: readonly (Comparison & { readonly exchange: string; readonly symbol: string })[];
  readonly runs: readonly Run[];
  readonly met: readonly { readonly code: string; readonly count: number }[];
  readonly requests: readonly (RequestEntry & { readonly exchange: string })[];
  /** Cells by the trigger of the run that requested them last. */
  readonly cells: readonly { readonly trigger: string; readonly cells: number }[];
  readonly lateness: readonly Lateness[];
  readonly slack: readonly { readonly atMs: number; readonly title: string }[];
  readonly pages: readonly string[];
  /** Codes of the alerts that still fire at the end. */
  readonly firing: readonly string[];
  readonly killedAtMs: number;
  readonly restartedAtMs: number;
}

/** Simulates the day: a daemon, its death during an ingest, and the daemon after it, on one data directory. */
export async function runDay(seed: string): Promise<DayReport> {
  const worlds = new Map(EXCHANGES.map((exchange) => [exchange as string, worldOfVenue(seed, exchange)]));
  const lateness = new Map<string, Lateness>();
  const death = deathInIngest();
  const simulateAt = (startMs: number, dataDir?: string): Promise<Simulation> =>
    simulateWithAlerts({
      seed: `${seed} ${startMs}`,
      interval: INTERVAL,
      startMs,
      ...(dataDir === undefined ? {} : { dataDir }),
      venues: Object.fromEntries(
        [...worlds].map(([exchange, world]) => [
          exchange,
          {
            symbols: SYMBOLS,
            world,
            plan: planAt(exchange, startMs, seed),
            ...(exchange === 'binance' ? { wire: death.wire } : {}),
          },
        ]),
      ),
    });

  const first = await simulateAt(START_MS);
  const { ports } = killable(first, death.kill);
  const lost = live(onPorts(first.pipeline, ports), first, { seed, lateness });
  lost.running.catch(() => undefined); // the killed process rejects later
  await first.clock.runUntil(death.come);
  const killedAtMs = first.clock.nowMs();

  const second = await simulateAt(killedAtMs + DOWN_MS, first.dataDir);
  const { running, stop } = live(second.pipeline, second, { seed, lateness });
  await second.clock.runUntil(second.clock.sleep(END_MS - second.clock.nowMs()));
  stop();
  await second.clock.runUntil(running);
  return {
    seed,
    killedAtMs,
    restartedAtMs: killedAtMs + DOWN_MS,
    lateness: [...lateness.values()],
    ...(await stored(second, worlds)),
    ...traffic([first, second]),
  };
}

/** The process dies while the second response of its ingest is on the way. */
function deathInIngest() {
  let [requests, isDead] = [0, false];
  const death = Promise.withResolvers<void>();
  const wire =
    (handle: StandInHandler): StandInHandler =>
    (request, nowMs) => {
      if (nowMs >= KILLED_FROM_MS && request.path.endsWith('klines') && ++requests === 2) {
        isDead = true;
        death.resolve();
      }
      return handle(request, nowMs);
    };
  return {
    wire,
    come: death.promise,
    kill: {
      get n() {
        return isDead ? 0 : Infinity;
      },
      when: 'before',
    },
  } as const;
}

/** A daemon on this pipeline, under the fault schedule of the day, with a sample of the lateness every minute. */
function live(
  pipeline: Pipeline,
  { clock, venues, pipeline: { settings } }: Simulation,
  { seed, lateness }: { readonly seed: string; readonly lateness: Map<string, Lateness> },
) {
  const stop = new AbortController();
  const beside = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  };
  const changeFaults = async (exchange: string): Promise<void> => {
    for (const timeMs of changesOf(exchange).filter((one) => one > clock.nowMs())) {
      await clock.sleep(timeMs - clock.nowMs(), stop.signal);
      venues[exchange]?.plan(planAt(exchange, timeMs, seed));
    }
  };
  const sampleLateness = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(SAMPLE_EVERY_MS, stop.signal);
      for (const watermark of await watermarksOf(pipeline, settings.markets))
        noteLateness(lateness, {
          exchange: watermark.exchange,
          lateMs: latenessMs(watermark, clock.nowMs()) ?? 0,
          atMs: clock.nowMs(),
        });
    }
  };
  const daemon = runDaemon(pipeline, daemonWork(pipeline), { signal: stop.signal, onProgress: () => undefined });
  return {
    running: Promise.all([
      daemon,
      beside(sampleLateness),
      ...EXCHANGES.map((exchange) => beside(() => changeFaults(exchange))),
    ]),
    stop: () => stop.abort(new CancelledError('SIGTERM')),
  };
}

function noteLateness(worst: Map<string, Lateness>, seen: Lateness): void {
  if (seen.lateMs >= (worst.get(seen.exchange)?.lateMs ?? 0)) worst.set(seen.exchange, seen);
}

async function stored(
  { pipeline, clock }: Simulation,
  worlds: ReadonlyMap<string, World>,
): Promise<Pick<DayReport, 'report' | 'comparisons' | 'runs' | 'met' | 'cells' | 'firing'>> {
  const { store } = pipeline.ports;
  const range = { fromMs: DUE_RANGE.fromMs, toMs: Math.floor((clock.nowMs() - SETTLED_MS) / STEP_MS) * STEP_MS };
  const comparisons: DayReport['comparisons'][number][] = [];
  for (const [exchange, world] of worlds) {
    for (const series of world.series) {
      const { symbol, rows, columns } = asServed(STAND_INS.get(exchange) as StandIn, series);
      const stored = await clock.runUntil(
        readCandles(pipeline, { series: { exchange, symbol, interval: INTERVAL }, range }),
      );
      comparisons.push({
        exchange,
        symbol,
        ...compareWithTruth(
          stored,
          rows.filter(([openTimeMs]) => openTimeMs >= range.fromMs && openTimeMs < range.toMs),
          columns,
        ),
      });
    }
  }
  return {
    comparisons,
    report: await clock.runUntil(
      gapReport(pipeline, {
        range: DUE_RANGE,
        markets: pipeline.settings.markets,
        intervals: [INTERVAL],
        verify: true,
        explained: true,
      }),
    ),
    runs: (await store.read(listRuns, RUNS_MAX)).toReversed(),
    firing: (await store.read(firingAlerts)).map(({ code }) => code),
    met: await store.read(countFaults, START_MS),
    cells: await store.read(() =>
      all<DayReport['cells'][number]>(
        'select run_trigger as trigger, count(*) as cells from cells join runs on run_id = id ' +
          'group by run_trigger order by run_trigger',
      ),
    ),
  };
}

const traffic = (simulations: readonly Simulation[]): Pick<DayReport, 'requests' | 'slack' | 'pages'> => ({
  requests: simulations.flatMap(({ venues }) =>
    Object.entries(venues).flatMap(([exchange, { log }]) => log.map((entry) => ({ ...entry, exchange }))),
  ),
  slack: simulations.flatMap(({ slack }) => slack.received.map(({ atMs, message }) => ({ atMs, title: message.text }))),
  pages: simulations.flatMap((simulation) => simulation.pages()),
});
