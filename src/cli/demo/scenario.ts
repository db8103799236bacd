import { join } from 'node:path';
import type { Ports } from '../../platform/ports/ports.ts';
import { DIRECT } from '../../platform/network-settings.ts';
import type { Exchange } from '../../domain/exchange.ts';
import { DAY_MS } from '../../domain/interval.ts';
import type { TimeRange } from '../../domain/range.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import { NO_CHANNELS } from '../../alerting/model/settings.ts';
import { ConfigurationError } from '../../errors/errors.ts';
import type { Settings } from '../../engine/core/settings.ts';
import type { FaultPlan, FaultSpec } from '../../simulation/fault-plan.ts';
import { serveOnLoopback, type LoopbackServer } from '../../simulation/loopback.ts';
import { withRecentCandles } from '../../simulation/recent-candles.ts';
import type { StandInHandler } from '../../simulation/stand-ins/reply.ts';
import type { StandInExchange } from '../../simulation/stand-ins/stand-in-exchange.ts';
import { STAND_INS } from '../../simulation/stand-ins/stand-ins.ts';
import { standInHub, type StandInHub } from '../../simulation/stand-ins/stand-in-hub.ts';
import { loadRecordings } from '../../simulation/recordings.ts';
import type { World } from '../../simulation/world.ts';

/** Recorded candles that come with the package. */
const RECORDINGS_DIRECTORY = join(import.meta.dirname, '../../../recordings');

/** Days of made-up candles before and after the present, for commands that request the last days. */
export const RECENT_DAYS = 3;

/** The demo's request: a month of real candles. */
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

/** What goes wrong, and when. SOL fails until its tries are used up: the second act heals it. */
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
    on('SOLUSDT', [7], { kind: 'duplicate-rows', rows: 3 }), // the sixth searches SOL's first candle
  ],
};

const HUB_SCHEDULE: FaultPlan = {
  seed: 'demo hub',
  rules: [{ match: { path: '/api/datasets' }, on: { nth: [1] }, fault: { kind: 'status', status: 503 } }],
};

/** One stand-in exchange on loopback. */
export interface DemoExchange {
  readonly exchange: Exchange;
  readonly standIn: StandInExchange;
  readonly recorded: World;
  /** The served candles: recorded ones, and made-up ones around the present. */
  readonly world: World;
  readonly url: string;
}

/** Stand-ins of every exchange and of the Hub, on loopback. */
export interface DemoEnvironment {
  readonly exchanges: readonly DemoExchange[];
  /** The one that the demo's own runs fetch from. */
  readonly exchange: DemoExchange;
  readonly hub: StandInHub;
  readonly hubUrl: string;
  close(): Promise<void>;
}

/**
 * Opens the stand-ins, exchanges on consecutive ports from `firstPort` on; 0: any free ports.
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
    const exchange = exchanges.find((one) => one.exchange === DEMO.exchange) as DemoExchange;
    return { exchanges, exchange, hub, hubUrl: await serve(hub.handle, 0), close };
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

/** Short timeouts, so that the silence in the schedule does not hold up the demo. */
export const demoSettings = (environment: DemoEnvironment, dataDir: string): Settings => ({
  dataDir,
  markets: new Map([[DEMO.exchange, DEMO.symbols]]),
  intervals: [DEMO.interval],
  origins: { [DEMO.exchange]: environment.exchange.url },
  requestTimeoutMs: 2_000,
  deadlineMs: 60_000,
  recheckAfterMs: 21_600_000,
  rateShare: 0.9,
  network: DIRECT,
  hub: { repo: DEMO.repo, token: DEMO.token, endpoint: environment.hubUrl },
  alerts: NO_CHANNELS,
  tags: {},
});
