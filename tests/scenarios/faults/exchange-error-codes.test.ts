import { expect, test } from 'vitest';
import { faultsOfRun } from '../../../src/state/fault-log.ts';
import { removedSymbols } from '../../../src/state/symbols.ts';
import type { WorkResult } from '../../../src/engine/core/work.ts';
import { always, type FaultSpec } from '../../../src/simulation/fault-plan.ts';
import { simulateExchanges, type Simulation, type VenueScript } from '../../support/simulated.ts';

const DAYS = { start: '2025-01-01', end: '2025-01-05' };
const stating = (venueCode: string, status = 200): FaultSpec => ({ kind: 'status', status, venueCode });

const simulateDays = (venues: Readonly<Record<string, VenueScript>>): Promise<Simulation> =>
  simulateExchanges({ seed: 'error codes', interval: '15m', venues });
const bronze = (result: WorkResult, exchange: string) =>
  result.runs[0]?.assets.find((asset) => asset.asset === `bronze_${exchange}_ohlcv`);
const ETH: VenueScript = { symbols: ['ETH/USDT'] };

test('a 401 of coinbase without a key is throttling: parked for five minutes, then complete', async () => {
  const simulation = await simulateDays({
    coinbase: {
      symbols: ['BTC/USD'],
      plan: {
        seed: 'once',
        rules: [{ match: { only: 'candles' }, on: { nth: [1] }, fault: { kind: 'status', status: 401 } }],
      },
    },
  });
  const result = await simulation.run({ days: DAYS });
  expect(result).toMatchObject({ ending: 'partial', pending: 480 });
  expect(bronze(result, 'coinbase')).toMatchObject({
    outcome: 'parked',
    errors: { 'BTC/USD': 'EXCHANGE_RATE_LIMITED' },
  });
  await simulation.clock.runUntil(simulation.clock.sleep(299_000));
  expect(await simulation.run({ days: DAYS })).toMatchObject({ ending: 'partial', pending: 480 });
  expect(simulation.candleRequests()).toBe(1);
  await simulation.clock.runUntil(simulation.clock.sleep(2_000));
  expect(await simulation.run({ days: DAYS })).toMatchObject({ ending: 'done', pending: 0 });
});

test.each([
  ['okx', ETH, stating('50001'), 'EXCHANGE_MAINTENANCE'],
  ['coinbase', { symbols: ['BTC/USD'] }, stating('We are currently under maintenance', 503), 'EXCHANGE_MAINTENANCE'],
] as const)('maintenance of %s parks only its own cells', async (exchange, script, fault, code) => {
  const simulation = await simulateDays({
    binance: ETH,
    [exchange]: { ...script, plan: always(fault, { only: 'candles' }) },
  });
  const result = await simulation.run({ days: DAYS });
  expect(bronze(result, exchange)).toMatchObject({ outcome: 'parked', errors: { [script.symbols[0]]: code } });
  expect(bronze(result, 'binance')).toMatchObject({ outcome: 'complete', symbols_ok: 1 });
  expect(simulation.venues[exchange]?.log.filter(({ candles }) => candles !== null)).toHaveLength(1);
});

test.each([
  ['okx', ETH, stating('51155')],
  ['okx', ETH, stating('50027', 400)],
  ['coinbase', { symbols: ['BTC/USD'] }, { kind: 'status', status: 451, body: 'empty' }],
  ['coinbase', { symbols: ['BTC/USD'] }, { kind: 'status', status: 403, body: 'html' }],
] as const)('a FORBIDDEN from %s fails only that exchange, at once', async (exchange, script, fault) => {
  const simulation = await simulateDays({
    binance: ETH,
    [exchange]: { ...script, plan: always(fault, { only: 'candles' }) },
  });
  const result = await simulation.run({ days: DAYS });
  expect(result).toMatchObject({ ending: 'refused', error: { code: 'FORBIDDEN' } });
  expect(bronze(result, exchange)).toMatchObject({ outcome: 'failed' });
  expect(bronze(result, 'binance')).toMatchObject({ outcome: 'complete' });
});

test.each([
  ['okx', ETH, stating('51001')],
  ['coinbase', { symbols: ['BTC/USD'] }, stating('NotFound', 404)],
] as const)(
  '%s calls a symbol unknown that it lists: SCHEMA_MISMATCH, its cells are pending, and the symbol stays',
  async (exchange, script, fault) => {
    const simulation = await simulateDays({ [exchange]: { ...script, plan: always(fault, { only: 'candles' }) } });
    const result = await simulation.run({ days: DAYS });
    expect(bronze(result, exchange)).toMatchObject({ errors: { [script.symbols[0]]: 'SCHEMA_MISMATCH' } });
    expect(result.pending).toBe(480);
    expect(await simulation.pipeline.ports.store.read(removedSymbols)).toEqual([]);
  },
);

test.each(['coinbase', 'okx'])(
  'a symbol that %s does not list is removed, enters no account, and does not affect the others',
  async (exchange) => {
    const listed = exchange === 'okx' ? 'ETH/USDT' : 'ETH/USD';
    const simulation = await simulateDays({ [exchange]: { symbols: [listed, 'NOPE/USD'] } });
    const result = await simulation.run({ days: DAYS });
    expect(bronze(result, exchange)).toMatchObject({ symbols_ok: 1, errors: { 'NOPE/USD': 'SYMBOL_INVALID' } });
    expect(result).toMatchObject({ ending: 'partial', pending: 0 });
  },
);

test.each([
  ['okx', ETH, stating('50011', 429), 'EXCHANGE_RATE_LIMITED'],
  ['okx', ETH, stating('50026'), 'EXCHANGE_SERVER_ERROR'],
  ['okx', ETH, stating('50004'), 'REQUEST_TIMEOUT'],
  ['coinbase', { symbols: ['BTC/USD'] }, stating('Public rate limit exceeded', 429), 'EXCHANGE_RATE_LIMITED'],
  ['coinbase', { symbols: ['BTC/USD'] }, stating('internal_server_error', 500), 'EXCHANGE_SERVER_ERROR'],
] as const)('%s recovers within the run from %o', async (exchange, script, fault, code) => {
  const simulation = await simulateDays({
    [exchange]: {
      ...script,
      plan: { seed: 'twice', rules: [{ match: { only: 'candles' }, on: { nth: [1, 2] }, fault }] },
    },
  });
  const result = await simulation.run({ days: DAYS });
  expect(result).toMatchObject({ ending: 'done', pending: 0 });
  const logged = await simulation.pipeline.ports.store.read(faultsOfRun, result.runs[0]?.id ?? '', 100);
  expect(logged.map((entry) => entry.record.code)).toEqual([code, code]);
});
