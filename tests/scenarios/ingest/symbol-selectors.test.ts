import { expect, test } from 'vitest';
import { parseMarketChoice, type MarketChoice } from '../../../src/domain/symbol-selector.ts';
import { resolveMarkets, type Resolution } from '../../../src/engine/core/symbol-resolution.ts';
import type { FaultPlan } from '../../../src/simulation/fault-plan.ts';
import { worldOf } from '../../../src/simulation/world.ts';
import type { RecordedSeries } from '../../../src/simulation/recorded-series.ts';
import { simulate, BINANCE_RECORDINGS, type Simulation } from '../../support/simulated.ts';
import { DAY_MS } from '../../../src/domain/interval.ts';

const UNREACHABLE: FaultPlan = {
  seed: 'down',
  rules: [{ match: { path: '/api/v3' }, on: { every: 1 }, fault: { kind: 'reset' } }],
};
const CALM: FaultPlan = { seed: 'calm', rules: [] };

const recorded = (venueSymbol: string, interval: string): RecordedSeries =>
  BINANCE_RECORDINGS.find(venueSymbol, interval) as RecordedSeries;
const WORLD = worldOf([
  recorded('BTCUSDT', '1d'),
  recorded('ETHUSDT', '1d'),
  recorded('ADAUSDT', '1d'),
  { ...recorded('SOLUSDT', '1d'), symbol: 'SOL/USDC', venueSymbol: 'SOLUSDC' },
]);

function resolve(
  { pipeline, clock }: Simulation,
  texts: readonly string[],
  freshness: Resolution['freshness'] = 'daily',
) {
  const choices = new Map([['binance', texts.map((text) => parseMarketChoice(text) as MarketChoice)]]);
  return clock.runUntil(
    resolveMarkets(pipeline, { choices, freshness, signal: new AbortController().signal }).then(
      (markets) => markets.get('binance') ?? [],
    ),
  );
}

const simulated = (plan: FaultPlan = CALM) =>
  simulate({ seed: 'choices', symbols: [], interval: '1d', world: WORLD, plan });

test('patterns and rankings resolve to distinct symbols of the venue; names stay as they are', async () => {
  const simulation = await simulated();
  expect(await resolve(simulation, ['DOGE/USDT', '*/USDC', 'top:2'])).toEqual([
    'DOGE/USDT',
    'SOL/USDC',
    'BTC/USDT',
    'ETH/USDT',
  ]);
  expect(await resolve(simulation, ['BTC/USDT', '*/USDT'])).toEqual(['BTC/USDT', 'ADA/USDT', 'ETH/USDT']);
});

test('names alone send no request', async () => {
  const simulation = await simulated(UNREACHABLE);
  expect(await resolve(simulation, ['BTC/USDT'])).toEqual(['BTC/USDT']);
  expect(simulation.venue.log).toEqual([]);
});

test('a resolution is kept for a day, or without limit where any age will do', async () => {
  const simulation = await simulated();
  await resolve(simulation, ['*/USDT', 'top:1']);
  expect(simulation.venue.log.map(({ path }) => path)).toEqual(['/api/v3/exchangeInfo', '/api/v3/ticker/24hr']);
  await simulation.clock.runUntil(simulation.clock.sleep(DAY_MS - 10_000));
  await resolve(simulation, ['*/USDT', 'top:1']);
  expect(simulation.venue.log).toHaveLength(2);
  await simulation.clock.runUntil(simulation.clock.sleep(20_000));
  await resolve(simulation, ['*/USDT', 'top:1'], 'any');
  expect(simulation.venue.log).toHaveLength(2);
  await resolve(simulation, ['*/USDT', 'top:1']);
  expect(simulation.venue.log).toHaveLength(4);
});

test('while the venue fails the last resolution is used with a warning; without one the fault is thrown', async () => {
  const simulation = await simulated(UNREACHABLE);
  await expect(resolve(simulation, ['*/USDT'])).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
    message: expect.stringMatching(/^binance:\*\/USDT was never resolved to symbols: /) as string,
  });
  simulation.venue.plan(CALM);
  const before = await resolve(simulation, ['*/USDT']);
  simulation.venue.plan(UNREACHABLE);
  await simulation.clock.runUntil(simulation.clock.sleep(DAY_MS));
  expect(await resolve(simulation, ['*/USDT'])).toEqual(before);
  expect(simulation.log.lines.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/^binance:\*\/USDT keeps its symbols of 2026-06-01T/),
  );
});

test('a delisted symbol stays chosen and its due candles in the account; an outranked one leaves', async () => {
  const before = await simulated();
  expect(await resolve(before, ['*/USDT'])).toEqual(['ADA/USDT', 'BTC/USDT', 'ETH/USDT']);
  expect(await resolve(before, ['top:1'])).toEqual(['BTC/USDT']);
  const bitcoin = recorded('BTCUSDT', '1d');
  const quiet = { ...bitcoin, rows: bitcoin.rows.map((row) => row.with(7, '1') as unknown as typeof row) };
  const after = await simulate({
    seed: 'delisted',
    symbols: [],
    interval: '1d',
    world: worldOf([quiet, recorded('XRPUSDT', '1d')]),
    dataDir: before.dataDir,
  });
  await after.clock.runUntil(after.clock.sleep(2 * DAY_MS));
  expect(await resolve(after, ['*/USDT'])).toEqual(['BTC/USDT', 'XRP/USDT', 'ADA/USDT', 'ETH/USDT']);
  expect(await resolve(after, ['top:1'])).toEqual(['XRP/USDT']);
});

test('choices that match no market at all are refused', async () => {
  const simulation = await simulated();
  expect(await resolve(simulation, ['BTC/USDT', '*/CHF'])).toEqual(['BTC/USDT']);
  await expect(resolve(simulation, ['*/CHF'])).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('got binance:*/CHF') as string,
  });
});
