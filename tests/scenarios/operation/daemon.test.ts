import { expect, test } from 'vitest';
import { DAY_MS } from '../../../src/domain/interval.ts';
import { dayRange } from '../../../src/domain/partition.ts';
import { runDaemon, type Tick } from '../../../src/engine/daemon/daemon.ts';
import { accountOf, totalOf } from '../../../src/engine/core/range-account.ts';
import { readCandles } from '../../../src/engine/queries/candle-reader.ts';
import { listRuns, type Run } from '../../../src/state/runs.ts';
import { CellsLeasedError } from '../../../src/errors/errors.ts';
import { CancelledError } from '../../../src/errors/classify.ts';
import type { FaultPlan } from '../../../src/simulation/fault-plan.ts';
import { daemonWork, keepFor, simulate, type Simulation } from '../../support/simulated.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2024, 5, 10, 10, 30);
const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'];

const scheduled = (ticks: readonly Tick[]) => ticks.filter(({ loop }) => loop.startsWith('schedule'));
const total = async ({ pipeline }: Simulation, days: { start: string; end: string }) =>
  totalOf(
    await accountOf(pipeline, {
      range: { fromMs: dayRange(days.start).fromMs, toMs: dayRange(days.end).toMs },
      markets: pipeline.settings.markets,
      intervals: ['1h'],
    }),
  );

const runsOf = async ({ pipeline }: Simulation): Promise<Run[]> =>
  (await pipeline.ports.store.read(listRuns, 1_000)).toReversed();

test("candles are requested once after every close and the exchange's grace, and each is stored", async () => {
  const simulation = await simulate({ seed: 'daemon', symbols: SYMBOLS, interval: '1h', startMs: START_MS });
  const ticks = scheduled(await keepFor(simulation, 5 * HOUR_MS));
  expect(ticks).toHaveLength(6); // at the start, and after 11, 12, 13, 14, 15 o'clock
  for (const { startedAtMs } of ticks.slice(1)) expect(startedAtMs % HOUR_MS).toBeGreaterThanOrEqual(5_000);
  const stored = await simulation.clock.runUntil(
    readCandles(simulation.pipeline, {
      series: { exchange: 'binance', symbol: 'BTC/USDT', interval: '1h' },
      range: dayRange('2024-06-10'),
    }),
  );
  expect(stored).toHaveLength(15);
});

test('after three days offline the next start catches up with one tick and nothing is missing', async () => {
  const simulation = await simulate({ seed: 'unplugged', symbols: SYMBOLS, interval: '1h', startMs: START_MS });
  await keepFor(simulation, HOUR_MS);
  await simulation.clock.runUntil(simulation.clock.sleep(3 * DAY_MS));
  const ticks = scheduled(await keepFor(simulation, 60_000));
  expect(ticks.map(({ result }) => [result.runs.length, result.ending])).toEqual([[1, 'done']]);
  expect(await total(simulation, { start: '2024-06-08', end: '2024-06-12' })).toMatchObject({
    expected: 360,
    present: 360,
  });
});

test('cells that fail for an hour are complete soon after, without a command', async () => {
  const simulation = await simulate({ seed: 'an hour', symbols: SYMBOLS, interval: '1h', startMs: START_MS });
  simulation.venue.plan({
    seed: 'hour',
    rules: [
      {
        match: { path: '/api/v3/klines', symbol: 'ETHUSDT' },
        on: { fromMs: START_MS, toMs: START_MS + HOUR_MS },
        fault: { kind: 'status', status: 502 },
      },
    ],
  });
  await keepFor(simulation, HOUR_MS - 60_000);
  expect((await total(simulation, { start: '2024-06-08', end: '2024-06-09' })).pending).toBe(48);
  await keepFor(simulation, 4 * 60_000);
  expect(await total(simulation, { start: '2024-06-08', end: '2024-06-09' })).toMatchObject({
    expected: 144,
    present: 144,
  });
});

/** Every candle request fails for three minutes after each of these closes. */
const threeMinutesAfter = (...closesMs: readonly number[]): FaultPlan => ({
  seed: 'minutes',
  rules: closesMs.map((closeMs) => ({
    match: { path: '/api/v3/klines' },
    on: { fromMs: closeMs, toMs: closeMs + 3 * 60_000 },
    fault: { kind: 'status', status: 500 },
  })),
});

test('a failed scheduled run is retried minutes later, although its candles belong to the open day', async () => {
  const simulation = await simulate({ seed: 'open', symbols: SYMBOLS, interval: '1h', startMs: START_MS });
  simulation.venue.plan(threeMinutesAfter(START_MS + 1.5 * HOUR_MS));
  await keepFor(simulation, 1.5 * HOUR_MS + 10 * 60_000);
  const stored = await simulation.clock.runUntil(
    readCandles(simulation.pipeline, {
      series: { exchange: 'binance', symbol: 'BTC/USDT', interval: '1h' },
      range: dayRange('2024-06-10'),
    }),
  );
  expect(stored).toHaveLength(12);
  const runs = await runsOf(simulation);
  const failed = runs.find(({ trigger, outcome }) => trigger === 'schedule' && outcome === 'failed');
  const first = runs.find(({ tags }) => tags['retry_of'] === failed?.id);
  expect(first).toMatchObject({ trigger: 'retry', outcome: 'failed', tags: { retry_count: '1' } });
  expect(runs.find(({ tags }) => tags['retry_of'] === first?.id)).toMatchObject({
    outcome: 'complete',
    tags: { retry_count: '2' },
  });
});

test('failures when a day becomes due are retried for their own run, not for an older healed one', async () => {
  const simulation = await simulate({
    seed: 'midnight',
    symbols: SYMBOLS,
    interval: '1h',
    startMs: Date.UTC(2024, 5, 10, 20, 30),
  });
  const [nine, midnight] = [Date.UTC(2024, 5, 10, 21), Date.UTC(2024, 5, 11)];
  simulation.venue.plan({
    ...threeMinutesAfter(midnight),
    rules: [
      {
        match: { path: '/api/v3/klines' },
        on: { fromMs: nine, toMs: nine + HOUR_MS / 2 },
        fault: { kind: 'status', status: 500 },
      },
      ...threeMinutesAfter(midnight).rules,
    ],
  });
  await keepFor(simulation, 4 * HOUR_MS);
  const retried = (await runsOf(simulation)).filter(({ tags }) => tags['retry_of'] !== undefined);
  expect(
    retried.map(({ outcome, tags, startedAtMs }) => [
      new Date(startedAtMs ?? 0).toISOString().slice(11, 13),
      tags['retry_count'],
      outcome,
    ]),
  ).toEqual([
    ['21', '1', 'failed'],
    ['21', '2', 'failed'],
    ['21', '3', 'failed'],
    ['00', '1', 'failed'],
    ['00', '2', 'complete'],
  ]);
  expect(await total(simulation, { start: '2024-06-10', end: '2024-06-10' })).toMatchObject({
    expected: 72,
    present: 72,
  });
});

test('one daemon holds a data directory; a second one is refused', async () => {
  const simulation = await simulate({ seed: 'two', symbols: SYMBOLS, interval: '1h', startMs: START_MS });
  const { pipeline, clock } = simulation;
  const work = daemonWork(pipeline);
  const stop = new AbortController();
  const first = runDaemon(pipeline, work, { signal: stop.signal, onProgress: () => undefined });
  await clock.runUntil(clock.sleep(60_000));
  await expect(runDaemon(pipeline, work, { signal: stop.signal, onProgress: () => undefined })).rejects.toThrow(
    CellsLeasedError,
  );
  stop.abort(new CancelledError('SIGTERM'));
  await clock.runUntil(first);
  expect((await keepFor(simulation, 60_000)).length).toBeGreaterThan(0);
});
