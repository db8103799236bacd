import { expect, test, vi } from 'vitest';
import { dayRange } from '../../../src/domain/partition.ts';
import { generatedWorld } from '../../../src/simulation/generated-world.ts';
import { simulate } from '../../support/simulated.ts';

const DAYS = { start: '2026-05-01', end: '2026-05-10' };
const minutes = generatedWorld('at once', [
  {
    symbol: 'AAA/USDT',
    venueSymbol: 'AAAUSDT',
    interval: '1m',
    range: { fromMs: dayRange(DAYS.start).fromMs, toMs: dayRange(DAYS.end).toMs },
  },
]);

test('a page without response delays only itself: other pages of its series are answered meanwhile', async () => {
  const simulation = await simulate({
    seed: 'stalled',
    symbols: ['AAA/USDT'],
    interval: '1m',
    world: minutes,
    plan: {
      seed: 'stalled',
      rules: [{ match: { path: '/api/v3/klines' }, on: { nth: [3] }, fault: { kind: 'silence' } }],
    },
  });
  expect(await simulation.run({ days: DAYS })).toMatchObject({ ending: 'done', pending: 0 });
  const { log } = simulation.venue;
  const stalled = log.find((entry) => entry.fault !== null);
  const again = log.find((entry) => entry.query === stalled?.query && entry !== stalled);
  expect(
    log.filter(({ atMs, status }) => status === 200 && atMs > (stalled?.atMs ?? 0) && atMs < (again?.atMs ?? 0)).length,
  ).toBeGreaterThan(5);
});

test('the first page of a series goes alone: an exchange that refuses it gets one request only', async () => {
  const simulation = await simulate({
    seed: 'refused',
    symbols: ['AAA/USDT'],
    interval: '1m',
    world: minutes,
    plan: {
      seed: 'refused',
      rules: [
        { match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'status', status: 403, body: 'html' } },
      ],
    },
  });
  expect(await simulation.run({ days: DAYS })).toMatchObject({ ending: 'refused', pending: 14_400 });
  expect(simulation.candleRequests()).toBe(1);
});

test('two days of one month that heal together share a file without conflict', async () => {
  const simulation = await simulate({ seed: 'one file', symbols: ['BTC/USDT'], interval: '1h' });
  const days = [
    { start: '2024-06-03', end: '2024-06-03' },
    { start: '2024-06-20', end: '2024-06-20' },
  ];
  simulation.venue.plan({ seed: 'down', rules: [{ on: { every: 1 }, fault: { kind: 'status', status: 500 } }] });
  for (const one of days) expect(await simulation.run({ days: one })).toMatchObject({ ending: 'unreachable' });
  simulation.venue.plan({ seed: 'calm', rules: [] });
  const healed = await simulation.heal('none');
  expect(healed).toMatchObject({ ending: 'done', pending: 0 });
  expect(healed.runs.map(({ partition, outcome }) => `${partition} ${outcome}`).toSorted()).toEqual([
    '2024-06-03 complete',
    '2024-06-20 complete',
  ]);
});

test('answered days are stored while a page of another day still waits for its response', async () => {
  const simulation = await simulate({
    seed: 'early',
    symbols: ['AAA/USDT'],
    interval: '1m',
    world: minutes,
    plan: {
      seed: 'early',
      rules: [{ match: { path: '/api/v3/klines' }, on: { nth: [3] }, fault: { kind: 'silence' } }],
    },
  });
  const {
    clock,
    pipeline: { lake, ports },
  } = simulation;
  const isStored = (period: string): boolean =>
    ports.files.exists(lake.at(lake.silverFile({ exchange: 'binance', interval: '1m', period })));
  const meanwhile = clock.sleep(5_000).then(() => ['2026-05-01', '2026-05-02', '2026-05-10'].map(isStored));
  expect(await simulation.run({ days: DAYS })).toMatchObject({ ending: 'done', pending: 0 });
  expect(await meanwhile, 'the third page is about the second and the third of May').toEqual([true, false, true]);
  expect(isStored('2026-05-02')).toBe(true);
});

test('while silver is built, the event loop gets a tick after every response', async () => {
  const simulation = await simulate({ seed: 'breath', symbols: ['AAA/USDT'], interval: '1m', world: minutes });
  const yields = vi.spyOn(simulation.clock, 'yieldToEventLoop');
  expect(await simulation.run({ days: DAYS, assets: ['bronze'] })).toMatchObject({ pending: 14_400 });
  expect(yields).not.toHaveBeenCalled();
  expect(await simulation.run({ days: DAYS })).toMatchObject({ ending: 'done', pending: 0 });
  expect(yields.mock.calls.length).toBeGreaterThanOrEqual(simulation.candleRequests());
});
