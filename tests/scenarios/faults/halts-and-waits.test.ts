import { expect, test } from 'vitest';
import { faultsOfRun } from '../../../src/state/fault-log.ts';
import { liftHalts } from '../../../src/state/halts.ts';
import { removedSymbols } from '../../../src/state/symbols.ts';
import type { WorkResult } from '../../../src/engine/core/work.ts';
import type { FaultPlan, FaultSpec } from '../../../src/simulation/fault-plan.ts';
import { generatedWorld } from '../../../src/simulation/generated-world.ts';
import { standInBinance } from '../../../src/simulation/stand-ins/stand-in-binance.ts';
import { STAND_INS, type StandIn } from '../../../src/simulation/stand-ins/stand-ins.ts';
import type { StandInOptions } from '../../../src/simulation/stand-ins/stand-in-exchange.ts';
import { simulate, START_MS, type Simulation } from '../../support/simulated.ts';

const KLINES = '/api/v3/klines';
const MONTH = { start: '2024-06-01', end: '2024-06-30' };
const DAY = { start: '2024-06-01', end: '2024-06-01' };
const THREE = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'];
const onPages = (fault: FaultSpec, on: FaultPlan['rules'][number]['on'] = { every: 1 }): FaultPlan => ({
  seed: 'pages',
  rules: [{ match: { path: KLINES }, on, fault }],
});
const pagesAt = (simulation: Simulation): number[] =>
  simulation.venue.log.filter(({ path }) => path === KLINES).map(({ atMs }) => atMs);
const faultLog = (simulation: Simulation, result: WorkResult) =>
  simulation.pipeline.ports.store.read(faultsOfRun, result.runs[0]?.id ?? '', 100);

/** Values of Retry-After, and the shortest wait each requires, in seconds; null for none. */
const RETRY_AFTERS: readonly (readonly [header: string, seconds: number | null])[] = [
  ['0', 0],
  ['3', 3],
  ['60', 60],
  ['120', 120],
  ['86400', 86_400],
  [new Date(START_MS + 20_000).toUTCString(), 20],
  [new Date(START_MS + 600_000).toUTCString(), 600],
  [new Date(START_MS - 600_000).toUTCString(), 0],
  ['soon', null],
  ['-5', null],
  ['1e3', null],
  ['', null],
];

const STATUSES = [429, 500, 503] as const;

test.each(
  RETRY_AFTERS.map(([header, seconds], at) => [STATUSES[at % STATUSES.length] ?? 429, header, seconds] as const),
)('%i with Retry-After "%s" sets a minimum wait that nothing shortens', async (status, header, seconds) => {
  const simulation = await simulate({
    seed: `retry after ${header}`,
    symbols: ['BTC/USDT'],
    interval: '1h',
    plan: onPages({ kind: 'status', status, retryAfter: header }, { nth: [1] }),
  });
  const result = await simulation.run({ days: DAY });
  const [first = 0, second] = pagesAt(simulation);
  if (seconds !== null && seconds > 60) {
    expect(second).toBeUndefined();
    expect(result).toMatchObject({
      ending: status === 500 ? 'unreachable' : 'partial',
      pending: 24,
      runs: [{ outcome: 'parked' }],
    });
    expect(await simulation.heal('none')).toMatchObject({ runs: [] });
    await simulation.clock.run({ untilMs: first + seconds * 1_000 });
    expect(await simulation.run({ days: DAY })).toMatchObject({ ending: 'done', pending: 0 });
    expect(pagesAt(simulation)[1]).toBeGreaterThanOrEqual(first + seconds * 1_000);
    return;
  }
  expect(result).toMatchObject({ ending: 'done', pending: 0 });
  expect((second ?? 0) - first).toBeGreaterThanOrEqual((seconds ?? 0) * 1_000);
});

test('after UNAUTHORIZED no process and no command sends a request, exit 4, until resume', async () => {
  const first = await simulate({
    seed: 'unauthorized',
    symbols: THREE,
    interval: '1h',
    plan: onPages({ kind: 'status', status: 401 }),
  });
  expect(await first.run({ days: MONTH })).toMatchObject({ ending: 'refused', error: { code: 'UNAUTHORIZED' } });
  const sent = first.venue.log.length;
  const other = await simulate({ seed: 'another process', symbols: THREE, interval: '1h', dataDir: first.dataDir });
  for (const process of [first, other]) {
    expect(await process.run({ days: MONTH })).toMatchObject({
      ending: 'refused',
      runs: [],
      pending: 2_160,
      error: { code: 'UNAUTHORIZED' },
    });
    expect(await process.heal('none')).toMatchObject({ ending: 'refused', runs: [] });
  }
  expect(first.venue.log.length + other.venue.log.length).toBe(sent);
  const lifted = await other.pipeline.ports.store.transact(liftHalts, other.clock.nowMs());
  expect(lifted).toMatchObject([{ exchange: 'binance', code: 'UNAUTHORIZED' }]);
  expect(lifted[0]?.runId).toMatch(/^run_/);
  expect(await other.run({ days: MONTH })).toMatchObject({ ending: 'done', pending: 0 });
});

test('another configuration lifts a halt, and under the halted configuration it still applies', async () => {
  const first = await simulate({
    seed: 'unauthorized',
    symbols: THREE,
    interval: '1h',
    plan: onPages({ kind: 'status', status: 401 }, { nth: [1] }),
  });
  await first.run({ days: MONTH });
  const changed = await simulate({
    seed: 'changed',
    symbols: THREE,
    interval: '1h',
    dataDir: first.dataDir,
    settings: { rateShare: 0.8 },
  });
  expect(await changed.run({ days: MONTH })).toMatchObject({ ending: 'done', pending: 0 });
  expect(await first.run({ days: MONTH })).toMatchObject({ ending: 'refused', runs: [] });
});

test('pages in flight at an UNAUTHORIZED may arrive, and nothing is sent after it', async () => {
  const simulation = await simulate({
    seed: 'late',
    symbols: THREE,
    interval: '1h',
    plan: {
      seed: 'late',
      rules: [
        { match: { path: KLINES, symbol: 'ETHUSDT' }, on: { every: 1 }, fault: { kind: 'status', status: 401 } },
        { match: { path: KLINES }, on: { every: 1 }, fault: { kind: 'status', status: 500, retryAfter: '5' } },
      ],
    },
  });
  await simulation.run({ days: MONTH });
  expect(simulation.candleRequests()).toBeLessThanOrEqual(3);
});

test.each([
  [404, 'NOT_FOUND', 3],
  [400, 'REQUEST_REJECTED', 3],
] as const)(
  'the same %i for every symbol is a fault of the venue: one event without a symbol, no symbol removed',
  async (status, code, requests) => {
    const simulation = await simulate({
      seed: 'alike',
      symbols: THREE,
      interval: '1h',
      plan: onPages({ kind: 'status', status, body: 'json' }),
    });
    const result = await simulation.run({ days: MONTH });
    expect(result).toMatchObject({
      ending: 'assetFailed',
      error: { code, message: expect.stringContaining('3 of 3 symbols of binance failed alike') },
    });
    expect(simulation.candleRequests()).toBe(requests);
    expect((await faultLog(simulation, result)).filter(({ decision }) => decision === 'escalated')).toMatchObject([
      { symbol: null, record: { code } },
    ]);
    expect(await simulation.pipeline.ports.store.read(removedSymbols)).toEqual([]);
  },
);

test('a venue that calls every listed symbol invalid: one event, all pending, no symbol removed', async () => {
  const simulation = await simulate({
    seed: 'all invalid',
    symbols: THREE,
    interval: '1h',
    plan: onPages({ kind: 'status', status: 400, venueCode: -1121 }),
  });
  const result = await simulation.run({ days: MONTH });
  expect(result).toMatchObject({ pending: 2_160, error: { code: 'SCHEMA_MISMATCH' } });
  expect((await faultLog(simulation, result)).filter(({ decision }) => decision === 'escalated')).toMatchObject([
    { symbol: null, record: { code: 'SCHEMA_MISMATCH' } },
  ]);
  expect(await simulation.pipeline.ports.store.read(removedSymbols)).toEqual([]);
});

test('a venue that calls a symbol invalid and lists none: pending, and the symbol stays', async () => {
  const simulation = await simulate({
    seed: 'empty list',
    symbols: ['FOO/USDT'],
    interval: '1h',
    world: generatedWorld('nothing', []),
  });
  expect(await simulation.run({ days: DAY })).toMatchObject({ pending: 24, error: { code: 'SCHEMA_MISMATCH' } });
  expect(await simulation.pipeline.ports.store.read(removedSymbols)).toEqual([]);
});

test('stated limits are fetched once and apply from the first page on, for any window', async () => {
  const symbols = ['AAA/USDT', 'BBB/USDT', 'CCC/USDT', 'DDD/USDT'];
  const range = { fromMs: Date.UTC(2024, 0, 1), toMs: Date.UTC(2024, 1, 1) };
  const world = generatedWorld(
    'many minutes',
    symbols.map((symbol) => ({ symbol, venueSymbol: symbol.replace('/', ''), interval: '1m', range })),
  );
  const days = { start: '2024-01-01', end: '2024-01-31' };
  const small = new Map([
    [
      'binance',
      {
        ...(STAND_INS.get('binance') as StandIn),
        open: (options: StandInOptions) => standInBinance({ ...options, limit: { weight: 60, windowMs: 10_000 } }),
      },
    ],
  ]);
  const simulation = await simulate({
    seed: 'stated',
    symbols,
    interval: '1m',
    world,
    standIns: small,
    settings: { rateShare: 1 },
  });
  const beganMs = simulation.clock.monotonicMs();
  expect(await simulation.run({ days })).toMatchObject({ ending: 'done', pending: 0 });
  expect(simulation.venue.log.filter(({ overLimit }) => overLimit)).toEqual([]);
  expect(simulation.venue.log.filter(({ path }) => path === '/api/v3/exchangeInfo')).toHaveLength(1);
  const weight = simulation.venue.log.reduce((sum, entry) => sum + entry.weight, 0);
  const floorMs = (Math.ceil(weight / 60) - 1) * 10_000;
  expect(floorMs).toBeGreaterThanOrEqual(50_000);
  expect(floorMs / (simulation.clock.monotonicMs() - beganMs)).toBeGreaterThanOrEqual(0.95);
});

test('limits that a venue does not state are requested once a day, and its candles arrive anyway', async () => {
  const simulation = await simulate({
    seed: 'no list',
    symbols: THREE,
    interval: '1h',
    plan: {
      seed: 'no list',
      rules: [
        {
          match: { path: '/api/v3/exchangeInfo' },
          on: { every: 1 },
          fault: { kind: 'status', status: 404, body: 'html' },
        },
      ],
    },
  });
  expect(await simulation.run({ days: { start: '2024-06-01', end: '2024-06-15' } })).toMatchObject({
    ending: 'done',
    pending: 0,
  });
  expect(await simulation.run({ days: MONTH })).toMatchObject({ ending: 'done', pending: 0 });
  expect(simulation.venue.log.filter(({ path }) => path !== KLINES)).toHaveLength(1);
});
