import { expect, test } from 'vitest';
import type { Exchange } from '../../../src/domain/exchange.ts';
import { DAY_MS, type Interval } from '../../../src/domain/interval.ts';
import { dayOf, type Day } from '../../../src/domain/partition.ts';
import { firstCandleOf } from '../../../src/state/symbols.ts';
import type { FaultPlan } from '../../../src/simulation/fault-plan.ts';
import { generatedWorld } from '../../../src/simulation/generated-world.ts';
import { jsonReply, type StandInHandler } from '../../../src/simulation/stand-ins/reply.ts';
import { worldOf, type World } from '../../../src/simulation/world.ts';
import type { RecordedSeries } from '../../../src/simulation/recorded-series.ts';
import { simulateExchanges, START_MS, type Simulation } from '../../support/simulated.ts';

const TODAY_MS = Math.floor(START_MS / DAY_MS) * DAY_MS;
const daysAgo = (days: number): number => TODAY_MS - days * DAY_MS;
const day = (days: number): Day => dayOf(daysAgo(days));

/** Generated candles of BTC-USD. Bounds: days before now. */
const candles = (interval: Interval, from: number, to: number): RecordedSeries =>
  generatedWorld('first', [
    {
      symbol: 'BTC/USD',
      venueSymbol: 'BTC-USD',
      interval,
      range: { fromMs: daysAgo(from), toMs: daysAgo(to) },
      quietPerMille: 0,
    },
  ]).series[0] as RecordedSeries;

interface Listed {
  readonly world: World;
  readonly interval?: Interval;
  readonly exchange?: Exchange;
  readonly plan?: FaultPlan;
  readonly wire?: (handle: StandInHandler) => StandInHandler;
}

const simulateListing = ({ world, interval = '1h', exchange = 'coinbase', plan, wire }: Listed): Promise<Simulation> =>
  simulateExchanges({
    seed: 'first',
    interval,
    venues: { [exchange]: { symbols: ['BTC/USD'], world, ...(plan ? { plan } : {}), ...(wire ? { wire } : {}) } },
  });

const firstOf = (simulation: Simulation, interval: Interval, exchange: Exchange = 'coinbase') =>
  simulation.pipeline.ports.store
    .read(firstCandleOf, { exchange, symbol: 'BTC/USD', interval })
    .then((first) => first?.openMs ?? null);

test('hours before the listing are not due: the first day counts from the first candle', async () => {
  const whole = candles('1h', 40, 30);
  const world = worldOf([{ ...whole, rows: whole.rows.slice(17) }]);
  const simulation = await simulateListing({ world });
  expect(await simulation.run({ days: { start: day(45), end: day(35) } })).toMatchObject({
    ending: 'done',
    pending: 0,
  });
  expect(await firstOf(simulation, '1h')).toBe(daysAgo(40) + 17 * 3_600_000);
});

test('a market that closed for three years was listed before the closure', async () => {
  const world = worldOf([candles('1h', 2_000, 1_990), candles('1h', 60, 20)]);
  const simulation = await simulateListing({ world });
  await simulation.run({ days: { start: day(65), end: day(55) } });
  expect(await firstOf(simulation, '1h')).toBe(daysAgo(2_000));
  await simulation.run({ days: { start: day(2_000), end: day(1_995) } });
  expect(
    await simulation.compare('coinbase', world.series[0] as RecordedSeries, { start: day(2_000), end: day(1_995) }),
  ).toMatchObject({ recorded: 144, lost: 0 });
});

test('a market that ended years ago has a known first candle too', async () => {
  const simulation = await simulateListing({ world: worldOf([candles('1h', 1_500, 1_480)]) });
  expect(await simulation.run({ days: { start: day(1_505), end: day(1_495) } })).toMatchObject({ pending: 0 });
  expect(await firstOf(simulation, '1h')).toBe(daysAgo(1_500));
});

test('short candles that begin months after long ones may be withheld: the difference is pending', async () => {
  const world = worldOf([candles('1d', 200, 100), candles('1h', 110, 100)]);
  const simulation = await simulateListing({ world, exchange: 'okx' });
  expect(await simulation.run({ days: { start: day(112), end: day(109) } })).toMatchObject({
    ending: 'partial',
    pending: 48,
  });
  expect([await firstOf(simulation, '1d', 'okx'), await firstOf(simulation, '1h', 'okx')]).toEqual([
    daysAgo(200),
    null,
  ]);
});

test('daily candles that begin after the hourly ones prove no listing', async () => {
  const world = worldOf([candles('1d', 100, 90), candles('1h', 105, 90)]);
  const simulation = await simulateListing({ world, interval: '1d' });
  expect(await simulation.run({ days: { start: day(103), end: day(95) } })).toMatchObject({
    ending: 'partial',
    pending: 3,
  });
  expect(await firstOf(simulation, '1d')).toBeNull();
});

test.each([
  ['empty', { kind: 'empty-list' }],
  ['short', { kind: 'short-page', keptRatio: 0.3 }],
] as const)('one %s response about the past does not hide the first candle', async (_says, fault) => {
  const world = worldOf([candles('1h', 900, 850), candles('1h', 60, 20)]);
  for (let nth = 1; nth <= 6; nth++) {
    const simulation = await simulateListing({
      world,
      plan: { seed: 'once', rules: [{ match: { interval: '1d' }, on: { nth: [nth] }, fault }] },
    });
    await simulation.run({ days: { start: day(70), end: day(55) } });
    expect(await firstOf(simulation, '1h'), `request ${nth}`).toBe(daysAgo(900));
  }
});

test('when the past cannot be requested, nothing counts as before the listing: it stays pending', async () => {
  const world = worldOf([candles('1h', 40, 30)]);
  const simulation = await simulateListing({
    world,
    plan: {
      seed: 'down',
      rules: [{ match: { interval: '1d' }, on: { every: 1 }, fault: { kind: 'status', status: 500 } }],
    },
  });
  expect(await simulation.run({ days: { start: day(42), end: day(40) } })).toMatchObject({
    ending: 'partial',
    pending: 48,
  });
  expect(await firstOf(simulation, '1h')).toBeNull();
});

test('a first candle later than one already delivered is rejected', async () => {
  const series = { ...candles('1h', 40, 30), venueSymbol: 'BTCUSD' };
  const late = series.rows.find((row) => row[0] === daysAgo(32));
  const wire =
    (handle: StandInHandler): StandInHandler =>
    (request, nowMs) =>
      request.query.get('startTime') === '0' ? jsonReply(200, [late]) : handle(request, nowMs);
  const simulation = await simulateListing({ world: worldOf([series]), exchange: 'binance', wire });
  expect(await simulation.run({ days: { start: day(41), end: day(39) } })).toMatchObject({
    ending: 'partial',
    pending: 24,
  });
  expect(await firstOf(simulation, '1h', 'binance')).toBeNull();
  expect(await simulation.compare('binance', series, { start: day(41), end: day(39) })).toMatchObject({
    recorded: 48,
    lost: 0,
  });
});
