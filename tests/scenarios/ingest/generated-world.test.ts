import { expect, test } from 'vitest';
import { DAY_MS } from '../../../src/domain/interval.ts';
import { dayOf } from '../../../src/domain/partition.ts';
import { symbolJoined, symbolPath } from '../../../src/domain/symbol.ts';
import { everyHealingFault } from '../../support/healing-faults.ts';
import { generatedWorld } from '../../../src/simulation/generated-world.ts';
import type { StandInHandler } from '../../../src/simulation/stand-ins/reply.ts';
import { STAND_INS, type StandIn } from '../../../src/simulation/stand-ins/stand-ins.ts';
import { asServed } from '../../support/served-series.ts';
import type { World } from '../../../src/simulation/world.ts';
import { simulateExchanges, START_MS, verifiedAccount, type Simulation } from '../../support/simulated.ts';

// Every candle of this file is generated from a seed; none is recorded.

const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'];
const EXCHANGES = ['binance', 'coinbase', 'okx'];
const TODAY_MS = Math.floor(START_MS / DAY_MS) * DAY_MS;
const WEEK_RANGE = { fromMs: TODAY_MS - 7 * DAY_MS, toMs: TODAY_MS };
const WEEK = { start: dayOf(WEEK_RANGE.fromMs), end: dayOf(WEEK_RANGE.toMs - 1) };

const worldOfVenue = (exchange: string): World =>
  generatedWorld(
    `week ${exchange}`,
    SYMBOLS.map((symbol) => ({
      symbol,
      venueSymbol: exchange === 'binance' ? symbolJoined(symbol) : symbolPath(symbol),
      interval: '1m' as const,
      range: WEEK_RANGE,
    })),
  );
const WORLDS = new Map(EXCHANGES.map((exchange) => [exchange, worldOfVenue(exchange)]));

async function expectEveryCandle(simulation: Simulation): Promise<void> {
  let candles = 0;
  for (const [exchange, world] of WORLDS) {
    for (const series of world.series) {
      const recorded = asServed(STAND_INS.get(exchange) as StandIn, series).rows.length;
      expect(await simulation.compare(exchange, series, WEEK), `${exchange} ${series.symbol}`).toEqual({
        recorded,
        lost: 0,
        doubled: 0,
        invented: 0,
        wrong: 0,
      });
      candles += recorded;
    }
  }
  const report = await verifiedAccount(simulation, WEEK);
  expect(report.discrepancies).toEqual([]);
  expect(report.totals).toMatchObject({ expected: 9 * 7 * 1_440, present: candles });
}

test('generated: a week of 1m candles of three symbols at three venues is stored completely', {
  timeout: 60_000,
}, async () => {
  const simulation = await simulateExchanges({
    seed: 'week',
    interval: '1m',
    venues: Object.fromEntries([...WORLDS].map(([exchange, world]) => [exchange, { symbols: SYMBOLS, world }])),
  });
  await simulation.run({ days: WEEK });
  await expectEveryCandle(simulation);
  for (const venue of Object.values(simulation.venues))
    expect(venue.log.filter((entry) => entry.overLimit)).toEqual([]);
});

test.each(['x', 'y'])(
  'generated: the week is complete despite throttling, wrong data, resets and stalls (seed %s)',
  { timeout: 60_000 },
  async (seed) => {
    const venues = Object.fromEntries(
      [...WORLDS].map(([exchange, world]) => [
        exchange,
        { symbols: SYMBOLS, world, plan: everyHealingFault(`${seed} ${exchange}`, { interval: '1m' }) },
      ]),
    );
    const simulation = await simulateExchanges({ seed, interval: '1m', venues });
    await simulation.run({ days: WEEK });
    for (const venue of Object.values(simulation.venues)) {
      expect(venue.log.filter((entry) => entry.fault !== null).length).toBeGreaterThan(10);
      venue.plan({ seed: 'calm', rules: [] });
    }
    await simulation.heal('none');
    await expectEveryCandle(simulation);
    for (const venue of Object.values(simulation.venues))
      expect(venue.log.filter((entry) => entry.sentWhileClosed)).toEqual([]);
  },
);

test.each(EXCHANGES)(
  'generated: with the clock of %s ten minutes behind ours, its open candles are left out',
  async (exchange) => {
    const world = WORLDS.get(exchange) as World;
    const behind =
      (handle: StandInHandler): StandInHandler =>
      (request, nowMs) =>
        handle(request, nowMs - 600_000);
    const simulation = await simulateExchanges({
      seed: 'behind',
      interval: '1m',
      startMs: WEEK_RANGE.toMs + 90_000,
      venues: { [exchange]: { symbols: SYMBOLS, world, wire: behind } },
    });
    await simulation.run({ days: { start: WEEK.end, end: WEEK.end } });
    for (const series of world.series) {
      const stored = await simulation.compare(exchange, series, { start: WEEK.end, end: WEEK.end });
      expect(stored, series.symbol).toMatchObject({ doubled: 0, invented: 0, wrong: 0 });
      expect(stored.lost, series.symbol).toBeGreaterThan(0);
    }
    await simulation.clock.runUntil(simulation.clock.sleep(7 * 3_600_000));
    await simulation.heal('all');
    for (const series of world.series)
      expect(await simulation.compare(exchange, series, { start: WEEK.end, end: WEEK.end })).toMatchObject({
        lost: 0,
        doubled: 0,
        invented: 0,
        wrong: 0,
      });
  },
);
