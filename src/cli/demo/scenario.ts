import { join } from 'node:path';
import type { Ports } from '../../platform/ports/ports.ts';
import { DIRECT } from '../../platform/network-settings.ts';
import type { Exchange } from '../../domain/exchange.ts';
import { DAY_MS } from '../../domain/interval.ts';
import { dayRange } from '../../domain/partition.ts';
import type { TimeRange } from '../../domain/range.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import type { Account } from '../../domain/account.ts';
import { NO_CHANNELS } from '../../alerting/model/settings.ts';
import { faultsOfRun } from '../../state/fault-log.ts';
import type { Run } from '../../state/runs.ts';
import { ConfigurationError } from '../../errors/errors.ts';
import { FAULT_CODES, type FaultCode } from '../../errors/table.ts';
import { readCandles } from '../../engine/queries/candle-reader.ts';
import { gapReport } from '../../engine/queries/gap-report.ts';
import type { Pipeline } from '../../engine/core/pipeline.ts';
import type { Settings } from '../../engine/core/settings.ts';
import type { FaultPlan, FaultSpec } from '../../simulation/fault-plan.ts';
import { serveOnLoopback, type LoopbackServer } from '../../simulation/loopback.ts';
import { withRecentCandles } from '../../simulation/recent-candles.ts';
import type { StandInHandler } from '../../simulation/stand-ins/reply.ts';
import type { StandInExchange } from '../../simulation/stand-ins/stand-in-exchange.ts';
import { STAND_INS } from '../../simulation/stand-ins/stand-ins.ts';
import { standInHub, type StandInHub } from '../../simulation/stand-ins/stand-in-hub.ts';
import { compareWithTruth, type Comparison } from '../../simulation/truth.ts';
import { loadRecordings } from '../../simulation/recordings.ts';
import type { World } from '../../simulation/world.ts';

/** Recorded candles that come with the package. */
const RECORDINGS_DIRECTORY = join(import.meta.dirname, '../../../recordings');

/** Days of made-up candles before and after the present, for commands that ask for the last days. */
export const RECENT_DAYS = 3;

/** What the demo asks for: a month of real candles. */
export const DEMO = {
  exchange: 'binance',
  symbols: ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as readonly MarketSymbol[],
  interval: '1h',
  days: { start: '2024-06-01', end: '2024-06-30' },
  repo: 'demo/candles',
  token: 'hf_demo_token_of_the_stand_in',
} as const;

const on = (symbol: string, nth: readonly number[], fault: FaultSpec): FaultPlan['rules'][number] => ({
  match: { path: '/api/v3/klines', symbol },
  on: { nth },
  fault,
});

/** What goes wrong, and when. SOL fails until its tries are used up: that is what the second turn heals. */
export const SCHEDULE: FaultPlan = {
  seed: 'demo',
  rules: [
    on('BTCUSDT', [1], { kind: 'status', status: 429, retryAfter: '1', venueCode: -1003 }),
    on('BTCUSDT', [2], { kind: 'reset' }),
    on('BTCUSDT', [3], { kind: 'truncated-json' }),
    on('BTCUSDT', [4], { kind: 'short-page', keptRatio: 0.6 }),
    on('ETHUSDT', [1], { kind: 'html' }),
    on('ETHUSDT', [2], { kind: 'silence' }),
    on('ETHUSDT', [3], { kind: 'invalid-rows', rule: 'ohlc-order', rows: 2 }),
    on('SOLUSDT', [1, 2, 3, 4], { kind: 'status', status: 502, body: 'html' }),
    on('SOLUSDT', [5], { kind: 'empty-list' }),
    on('SOLUSDT', [7], { kind: 'duplicate-rows', rows: 3 }), // the sixth asks where SOL's candles begin
  ],
};

const HUB_SCHEDULE: FaultPlan = {
  seed: 'demo hub',
  rules: [{ match: { path: '/api/datasets' }, on: { nth: [1] }, fault: { kind: 'status', status: 503 } }],
};

/** One stand-in exchange that answers on loopback. */
export interface DemoExchange {
  readonly exchange: Exchange;
  readonly standIn: StandInExchange;
  readonly recorded: World;
  /** What it serves: the recorded candles, and made-up ones around the present. */
  readonly world: World;
  readonly url: string;
}

/** Stand-ins of every exchange and of the Hub, on loopback. */
export interface DemoEnvironment {
  readonly exchanges: readonly DemoExchange[];
  /** The one that the demo's own runs ask. */
  readonly asked: DemoExchange;
  readonly hub: StandInHub;
  readonly hubUrl: string;
  close(): Promise<void>;
}

/**
 * Opens the stand-ins, each of the exchanges on a port of its own from `firstPort` on, 0 for any free ones.
 * @throws ConfigurationError (CONFIG_INVALID) when a port is taken.
 */
export async function openDemoEnvironment(
  { clock, files }: Pick<Ports, 'clock' | 'files'>,
  firstPort: number,
): Promise<DemoEnvironment> {
  const servers: LoopbackServer[] = [];
  const close = async (): Promise<void> => void (await Promise.all(servers.map((server) => server.close())));
  const serve = async (handler: StandInHandler, port: number): Promise<string> => {
    const server = await serveOnLoopback(handler, { clock, port });
    servers.push(server);
    return server.url;
  };
  try {
    const exchanges: DemoExchange[] = [];
    for (const [exchange, { open }] of STAND_INS) {
      const recorded = loadRecordings(files, join(RECORDINGS_DIRECTORY, exchange));
      const world = withRecentCandles(recorded, recentRange(clock.nowMs()));
      const standIn = open({ world });
      exchanges.push({
        exchange,
        standIn,
        recorded,
        world,
        url: await serve(standIn.handle, firstPort === 0 ? 0 : firstPort + exchanges.length),
      });
    }
    const hub = standInHub({ repo: DEMO.repo, token: DEMO.token, exists: false, plan: HUB_SCHEDULE, commitsLost: 1 });
    const asked = exchanges.find(({ exchange }) => exchange === DEMO.exchange) as DemoExchange;
    return { exchanges, asked, hub, hubUrl: await serve(hub.handle, 0), close };
  } catch (error) {
    await close();
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new ConfigurationError(
      {
        where: '--port',
        expected: `${STAND_INS.size} free ports from here on`,
        got: `${firstPort}, and ${firstPort + servers.length} is taken`,
      },
      { cause: error },
    );
  }
}

function recentRange(nowMs: number): TimeRange {
  const todayMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
  return { fromMs: todayMs - RECENT_DAYS * DAY_MS, toMs: todayMs + (RECENT_DAYS + 1) * DAY_MS };
}

/** Short timeouts, so that nobody waits long for the silence in the schedule. */
export const demoSettings = (stage: DemoEnvironment, dataDir: string): Settings => ({
  dataDir,
  markets: new Map([[DEMO.exchange, DEMO.symbols]]),
  intervals: [DEMO.interval],
  origins: { [DEMO.exchange]: stage.asked.url },
  requestTimeoutMs: 2_000,
  deadlineMs: 60_000,
  recheckAfterMs: 21_600_000,
  rateShare: 0.9,
  network: DIRECT,
  hub: { repo: DEMO.repo, token: DEMO.token, endpoint: stage.hubUrl },
  alerts: NO_CHANNELS,
  tags: {},
});

/** What the demo proves at its end. */
export interface DemoVerdict {
  readonly account: Account;
  /** Stored candles against the recording. */
  readonly comparison: Comparison;
  /** Faults sent by the stand-in exchange and entries of the fault log, by code. */
  readonly faults: readonly { readonly code: FaultCode; readonly injected: number; readonly logged: number }[];
  readonly discrepancies: number;
  readonly commits: number;
  readonly isPublished: boolean;
  readonly addsUp: boolean;
}

export async function assessDemo(
  pipeline: Pipeline,
  stage: DemoEnvironment,
  runs: readonly Run[],
): Promise<DemoVerdict> {
  const range = { fromMs: dayRange(DEMO.days.start).fromMs, toMs: dayRange(DEMO.days.end).toMs };
  const report = await gapReport(pipeline, {
    range,
    markets: pipeline.settings.markets,
    intervals: pipeline.settings.intervals,
    verify: true,
    explained: true,
  });
  const comparison = await compareStored(pipeline, stage.asked.world, range);
  const faults = await countFaults(pipeline, stage, runs);
  const isPublished = isOnHub(pipeline, stage.hub);
  const { lost, doubled, invented, wrong } = comparison;
  return {
    account: report.totals,
    comparison,
    faults,
    discrepancies: report.discrepancies.length,
    commits: stage.hub.commits.length - 1,
    isPublished,
    addsUp:
      report.totals.pending === 0 &&
      report.discrepancies.length === 0 &&
      lost + doubled + invented + wrong === 0 &&
      faults.every((one) => one.logged >= one.injected) &&
      isPublished,
  };
}

async function compareStored(
  pipeline: Pipeline,
  world: World,
  range: { fromMs: number; toMs: number },
): Promise<Comparison> {
  const sum = { recorded: 0, lost: 0, doubled: 0, invented: 0, wrong: 0 };
  for (const recorded of world.series.filter(
    (series) => series.interval === DEMO.interval && DEMO.symbols.includes(series.symbol),
  )) {
    const stored = await readCandles(pipeline, {
      series: { exchange: DEMO.exchange, symbol: recorded.symbol, interval: recorded.interval },
      range,
    });
    const rows = recorded.rows.filter((row) => row[0] >= range.fromMs && row[0] < range.toMs);
    const one = compareWithTruth(stored, rows, recorded.columns);
    for (const key of ['recorded', 'lost', 'doubled', 'invented', 'wrong'] as const) sum[key] += one[key];
  }
  return sum;
}

const FAULTS_MAX = 1_000;

async function countFaults(
  { ports }: Pipeline,
  stage: DemoEnvironment,
  runs: readonly Run[],
): Promise<DemoVerdict['faults']> {
  const entries = await Promise.all(
    runs.map((run) => ports.store.read('faultsOfRun', () => faultsOfRun(run.id, FAULTS_MAX))),
  );
  const logged = Map.groupBy(entries.flat(), (entry) => entry.record.code);
  const injected = Map.groupBy(
    stage.asked.standIn.log.flatMap((entry) => (entry.code === null ? [] : [entry.code])),
    (code) => code,
  );
  return [...injected]
    .toSorted(([a], [b]) => FAULT_CODES.indexOf(a) - FAULT_CODES.indexOf(b))
    .map(([code, own]) => ({ code, injected: own.length, logged: logged.get(code)?.length ?? 0 }));
}

/** Every data file of the gold folder is on the Hub's head, byte for byte. */
function isOnHub({ lake, ports }: Pipeline, hub: StandInHub): boolean {
  const published = hub.commits.at(-1)?.files ?? new Map<string, Uint8Array>();
  const data = [...published].filter(([path]) => path.startsWith('data/'));
  return (
    data.length > 0 &&
    data.every(([path, bytes]) => Buffer.from(bytes).equals(Buffer.from(ports.files.read(join(lake.gold, path)))))
  );
}
