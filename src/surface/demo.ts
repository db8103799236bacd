import { join } from 'node:path';
import { realFiles } from '../kernel/files.ts';
import type { Clock } from '../kernel/clock.ts';
import { DIRECT } from '../kernel/http.ts';
import { dayRange } from '../market/partition.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import type { Account } from '../faults/ledger/account.ts';
import { NO_CHANNELS } from '../faults/alerting/settings.ts';
import { faultsOfRun } from '../faults/ledger/fault-log.ts';
import type { Run } from '../faults/ledger/runs.ts';
import type { FaultCode } from '../faults/taxonomy/table.ts';
import { readCandles } from '../engine/candle-reader.ts';
import { gapReport } from '../engine/gap-report.ts';
import type { Pipeline } from '../engine/pipeline.ts';
import type { Settings } from '../engine/settings.ts';
import type { FaultPlan, FaultSpec } from '../rehearsal/fault-plan.ts';
import { serveOnLoopback, type LoopbackServer } from '../rehearsal/loopback.ts';
import { standInBinance } from '../rehearsal/stand-in-binance.ts';
import type { StandInExchange } from '../rehearsal/stand-in-venue.ts';
import { standInHub, type StandInHub } from '../rehearsal/stand-in-hub.ts';
import { compareWithTruth, type Comparison } from '../rehearsal/truth.ts';
import { loadTapes } from '../rehearsal/tapes.ts';
import type { World } from '../rehearsal/world.ts';

/** Recorded candles that come with the package. */
const TAPES = join(import.meta.dirname, '../../tapes/binance');

/** What the demo asks for: a month of real candles. */
export const DEMO = {
  symbols: ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as readonly MarketSymbol[],
  interval: '1h',
  days: { start: '2024-06-01', end: '2024-06-30' },
  repo: 'demo/candles',
  token: 'hf_demo_token_of_the_stand_in',
} as const;

const on = (symbol: string, nth: readonly number[], fault: FaultSpec): FaultPlan['rules'][number] => ({ match: { path: '/api/v3/klines', symbol }, on: { nth }, fault });

/** What goes wrong, and when. SOL fails until its tries are used up: that is what the second turn heals. */
const SCHEDULE: FaultPlan = {
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

const HUB_SCHEDULE: FaultPlan = { seed: 'demo hub', rules: [{ match: { path: '/api/datasets' }, on: { nth: [1] }, fault: { kind: 'status', status: 503 } }] };

/** The stand-in exchange and Hub of the demo, on loopback. */
export interface Stage {
  readonly exchange: StandInExchange;
  readonly hub: StandInHub;
  readonly exchangeUrl: string;
  readonly hubUrl: string;
  readonly world: World;
  close(): Promise<void>;
}

export async function openStage(clock: Clock): Promise<Stage> {
  const world = loadTapes(realFiles, TAPES);
  const exchange = standInBinance({ world, plan: SCHEDULE });
  const hub = standInHub({ repo: DEMO.repo, token: DEMO.token, exists: false, plan: HUB_SCHEDULE, commitsLost: 1 });
  const servers: LoopbackServer[] = [await serveOnLoopback(exchange.handle, { clock }), await serveOnLoopback(hub.handle, { clock })];
  const [exchangeUrl = '', hubUrl = ''] = servers.map((server) => server.url);
  return { exchange, hub, exchangeUrl, hubUrl, world, close: async () => void (await Promise.all(servers.map((server) => server.close()))) };
}

/** Short timeouts, so that nobody waits long for the silence in the schedule. */
export const demoSettings = (stage: Stage, dataDir: string): Settings => ({
  dataDir,
  markets: new Map([['binance', DEMO.symbols]]),
  intervals: [DEMO.interval],
  origins: { binance: stage.exchangeUrl },
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

export async function judgeDemo(pipeline: Pipeline, stage: Stage, runs: readonly Run[]): Promise<DemoVerdict> {
  const range = { fromMs: dayRange(DEMO.days.start).fromMs, toMs: dayRange(DEMO.days.end).toMs };
  const report = await gapReport(pipeline, { range, markets: pipeline.settings.markets, intervals: pipeline.settings.intervals, verify: true, explained: true });
  const comparison = await compareStored(pipeline, stage.world, range);
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
    addsUp: report.totals.pending === 0 && report.discrepancies.length === 0 && lost + doubled + invented + wrong === 0 && faults.every((one) => one.logged >= one.injected) && isPublished,
  };
}

async function compareStored(pipeline: Pipeline, world: World, range: { fromMs: number; toMs: number }): Promise<Comparison> {
  const sum = { recorded: 0, lost: 0, doubled: 0, invented: 0, wrong: 0 };
  for (const recorded of world.series.filter((series) => series.interval === DEMO.interval && DEMO.symbols.includes(series.symbol))) {
    const stored = await readCandles(pipeline, { series: { exchange: 'binance', symbol: recorded.symbol, interval: recorded.interval }, range });
    const rows = recorded.rows.filter((row) => row[0] >= range.fromMs && row[0] < range.toMs);
    const one = compareWithTruth(stored, rows, recorded.columns);
    for (const key of ['recorded', 'lost', 'doubled', 'invented', 'wrong'] as const) sum[key] += one[key];
  }
  return sum;
}

const FAULTS_MAX = 1_000;

async function countFaults({ ports }: Pipeline, stage: Stage, runs: readonly Run[]): Promise<DemoVerdict['faults']> {
  const entries = await Promise.all(runs.map((run) => ports.store.read('faultsOfRun', () => faultsOfRun(run.id, FAULTS_MAX))));
  const logged = Map.groupBy(entries.flat(), (entry) => entry.record.code);
  const injected = Map.groupBy(stage.exchange.log.flatMap((entry) => (entry.code === null ? [] : [entry.code])), (code) => code);
  return [...injected].map(([code, own]) => ({ code, injected: own.length, logged: logged.get(code)?.length ?? 0 }));
}

/** Every data file of the gold folder is on the Hub's head, byte for byte. */
function isOnHub({ lake, ports }: Pipeline, hub: StandInHub): boolean {
  const published = hub.commits.at(-1)?.files ?? new Map<string, Uint8Array>();
  const data = [...published].filter(([path]) => path.startsWith('data/'));
  return data.length > 0 && data.every(([path, bytes]) => Buffer.from(bytes).equals(Buffer.from(ports.files.read(join(lake.gold, path)))));
}
