import { expect, test } from 'vitest';
import { estimate, spendingMs } from '../../../src/engine/plan/estimate.ts';
import type { WorkRequest } from '../../../src/engine/core/work.ts';
import { removeSymbol } from '../../../src/state/symbols.ts';
import { generatedWorld } from '../../../src/simulation/generated-world.ts';
import { dayRange } from '../../../src/domain/partition.ts';
import { simulate } from '../../support/simulated.ts';

const YEAR = { start: '2023-01-01', end: '2023-12-31' };
const MONTH = { start: '2024-06-01', end: '2024-06-30' };
const work = (over: Partial<WorkRequest>): WorkRequest => ({
  days: YEAR,
  markets: new Map([
    ['binance', ['BTC/USDT', 'ETH/USDT']],
    ['coinbase', ['BTC/USD']],
    ['okx', ['BTC/USDT']],
  ]),
  intervals: ['1m', '4h'],
  selection: 'missing',
  waitPolicy: 'holes',
  assets: ['bronze', 'silver'],
  trigger: 'manual',
  tags: {},
  ...over,
});

test("a plan counts pages, weight and time at each venue's limit, without intervals not offered", async () => {
  const { pipeline } = await simulate({ seed: 'plan', symbols: [], interval: '1h' });
  const { estimates, total } = await estimate(pipeline, work({}));
  expect(estimates.map(({ exchange, interval, runs, series }) => [exchange, interval, runs, series])).toEqual([
    ['binance', '1m', 12, 2],
    ['coinbase', '1m', 12, 1],
    ['okx', '1m', 12, 1],
    ['binance', '4h', 12, 2],
    ['okx', '4h', 12, 1],
  ]);
  const pagesOf = (rowsMax: number, perDay: number): number => Math.ceil((365 * perDay) / rowsMax);
  const minutes = 365 * 1_440;
  expect(estimates[0]).toMatchObject({
    candles: 2 * minutes,
    requests: 2 * pagesOf(1_000, 1_440),
    weight: 4 * pagesOf(1_000, 1_440),
    floorMs: 0,
  });
  expect(estimates[1]).toMatchObject({ candles: minutes, requests: pagesOf(300, 1_440), weight: pagesOf(300, 1_440) });
  expect(estimates[2]).toMatchObject({
    candles: minutes,
    requests: pagesOf(300, 1_440),
    weight: 2 * pagesOf(300, 1_440),
  });
  // 1,752 requests at 9 a second; 3,504 + 16 units at 36 in two seconds: coinbase is the slowest.
  expect(estimates[1]?.floorMs).toBe(Math.ceil(((pagesOf(300, 1_440) - 9) / 9) * 1_000));
  expect(total).toMatchObject({ series: 7, floorMs: estimates[1]?.floorMs });
});

test('stored candles and symbols off the active list are not planned for', async () => {
  const simulation = await simulate({ seed: 'plan again', symbols: ['BTC/USDT'], interval: '1h' });
  await simulation.run({ days: MONTH });
  const hours = work({ days: MONTH, markets: new Map([['binance', ['BTC/USDT', 'ETH/USDT']]]), intervals: ['1h'] });
  expect((await estimate(simulation.pipeline, hours)).total).toMatchObject({
    runs: 1,
    series: 1,
    candles: 720,
    requests: 1,
    floorMs: 0,
  });
  const disabled = {
    exchange: 'binance',
    symbol: 'ETH/USDT',
    code: null,
    reason: 'not ours',
    changedAtMs: simulation.clock.nowMs(),
  };
  await simulation.pipeline.ports.store.transact(removeSymbol, disabled);
  expect((await estimate(simulation.pipeline, { ...hours, selection: 'all' })).total).toMatchObject({
    series: 1,
    candles: 720,
  });
});

test('an aligned window grants its share at its start; a sliding window grants it continuously', () => {
  const weights = { name: 'w', limit: 6_000, windowMs: 60_000, shape: 'aligned', counts: 'weight' } as const;
  const requests = { name: 'r', limit: 10, windowMs: 1_000, shape: 'sliding', counts: 'requests' } as const;
  expect([0, 5_400, 5_401, 10_800, 10_802].map((weight) => spendingMs(weights, { requests: 1, weight }, 0.9))).toEqual([
    0, 0, 60_000, 60_000, 120_000,
  ]);
  expect([9, 10, 18, 99].map((sent) => spendingMs(requests, { requests: sent, weight: 1e9 }, 0.9))).toEqual([
    0, 112, 1_000, 10_000,
  ]);
});

test('a year takes as many requests as planned: runs share the pages across their borders', async () => {
  const world = generatedWorld('a year of hours', [
    {
      symbol: 'AAA/USDT',
      venueSymbol: 'AAAUSDT',
      interval: '1h',
      range: { fromMs: dayRange(YEAR.start).fromMs, toMs: dayRange(YEAR.end).toMs },
    },
  ]);
  const simulation = await simulate({ seed: 'a year of hours', symbols: ['AAA/USDT'], interval: '1h', world });
  const year = work({ markets: new Map([['binance', ['AAA/USDT']]]), intervals: ['1h'] });
  const { total } = await estimate(simulation.pipeline, year);
  expect(total).toMatchObject({ runs: 12, requests: Math.ceil((365 * 24) / 1_000) });
  expect(await simulation.run({ days: YEAR })).toMatchObject({ ending: 'done', pending: 0 });
  expect(simulation.candleRequests()).toBe(total.requests);
});
