import { expect, test } from 'vitest';
import { DAY_MS } from '../../../src/domain/interval.ts';
import { dayOf } from '../../../src/domain/partition.ts';
import { loadAdapters } from '../../../src/exchanges/registry.ts';
import { removedSymbols } from '../../../src/state/symbols.ts';
import { everyHealingFault } from '../../support/healing-faults.ts';
import { generatedWorld } from '../../../src/simulation/generated-world.ts';
import { STAND_INS } from '../../../src/simulation/stand-ins/stand-ins.ts';
import { tidewater } from '../../tidewater/entry.ts';
import { standInTidewater } from '../../tidewater/stand-in.ts';
import {
  simulateExchanges,
  START_MS,
  BINANCE_RECORDINGS,
  type ExchangesSimulationOptions,
} from '../../support/simulated.ts';

// The exchange `tidewater` and its candles are made up: one folder (tests/tidewater) and one entry in the list of
// adapters are all it takes.

const TODAY_MS = Math.floor(START_MS / DAY_MS) * DAY_MS;
const RANGE = { fromMs: TODAY_MS - 21 * DAY_MS, toMs: TODAY_MS };
const DAYS = { start: dayOf(RANGE.fromMs), end: dayOf(RANGE.toMs - 1) };
const WORLD = generatedWorld(
  'tidewater',
  ['BTC/USDT', 'ETH/USDT'].map((symbol) => ({
    symbol,
    venueSymbol: symbol.replace('/', '-').toLowerCase(),
    interval: '15m' as const,
    range: RANGE,
  })),
);

const ADAPTERS = new Map([...(await loadAdapters()), ['tidewater', await tidewater.loadAdapter()]]);

const withTidewater = (
  options: Omit<ExchangesSimulationOptions, 'adapters' | 'standIns'>,
): ExchangesSimulationOptions => ({
  ...options,
  adapters: ADAPTERS,
  standIns: new Map([...STAND_INS, ['tidewater', standInTidewater]]),
});

test.each([
  ['well', undefined],
  ['with every healing fault', everyHealingFault('tidewater', { interval: '15m' })],
] as const)('a fourth exchange (%s) delivers every candle beside binance, under its own name', async (_says, plan) => {
  const simulation = await simulateExchanges(
    withTidewater({
      seed: 'fourth',
      interval: '15m',
      venues: {
        binance: { symbols: ['BTC/USDT'], world: BINANCE_RECORDINGS },
        tidewater: { symbols: ['BTC/USDT', 'ETH/USDT'], world: WORLD, ...(plan ? { plan } : {}) },
      },
    }),
  );
  const result = await simulation.run({ days: DAYS });
  expect(result.runs[0]?.assets.map(({ asset }) => asset)).toContain('bronze_tidewater_ohlcv');
  simulation.venues['tidewater']?.plan({ seed: 'well', rules: [] });
  await simulation.heal('none');
  for (const series of WORLD.series) {
    const comparison = await simulation.compare('tidewater', series, DAYS);
    expect(comparison).toMatchObject({ lost: 0, doubled: 0, invented: 0, wrong: 0 });
    expect(comparison.recorded).toBeGreaterThan(1_900);
  }
});

test('an invalid symbol is looked up in its symbol list and removed', async () => {
  const simulation = await simulateExchanges(
    withTidewater({
      seed: 'unlisted',
      interval: '15m',
      venues: { tidewater: { symbols: ['BTC/USDT', 'NOPE/USDT'], world: WORLD } },
    }),
  );
  const result = await simulation.run({ days: DAYS });
  expect(result.runs[0]?.assets.find(({ asset }) => asset === 'bronze_tidewater_ohlcv')).toMatchObject({
    errors: { 'NOPE/USDT': 'SYMBOL_INVALID' },
  });
  expect(await simulation.pipeline.ports.store.read(removedSymbols)).toMatchObject([
    { exchange: 'tidewater', symbol: 'NOPE/USDT' },
  ]);
});
