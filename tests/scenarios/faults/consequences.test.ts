import { expect, test } from 'vitest';
import { always } from '../../../src/simulation/fault-plan.ts';
import { faultsOfRun } from '../../../src/state/fault-log.ts';
import { takeLeases } from '../../../src/state/leases.ts';
import { removedSymbols } from '../../../src/state/symbols.ts';
import type { WorkResult } from '../../../src/engine/core/work.ts';
import { simulate, BINANCE_RECORDINGS, type Simulation } from '../../support/simulated.ts';

const KLINES = '/api/v3/klines';
const MONTH = { start: '2024-06-01', end: '2024-06-30' };
const THREE = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'];

const bronze = (result: WorkResult) => result.runs[0]?.assets.find((asset) => asset.asset === 'bronze_binance_ohlcv');
const silver = (result: WorkResult) =>
  result.runs[0]?.assets.find((asset) => asset.asset === 'silver_ohlcv_normalized');
const decisions = (simulation: Simulation, result: WorkResult) =>
  simulation.pipeline.ports.store
    .read(faultsOfRun, result.runs[0]?.id ?? '', 100)
    .then((entries) => entries.map((entry) => [entry.record.code, entry.decision]));

test('a year of 1d for five symbols costs at most five pages and five other requests', async () => {
  const symbols = BINANCE_RECORDINGS.series.filter((series) => series.interval === '1d').map((series) => series.symbol);
  const simulation = await simulate({ seed: 'year', symbols, interval: '1d' });
  const result = await simulation.run({ days: { start: '2020-01-01', end: '2020-12-31' } });
  expect(symbols).toHaveLength(5);
  expect(simulation.venue.log.length).toBeLessThanOrEqual(10);
  expect(result).toMatchObject({ ending: 'done', pending: 0 });
});

test('one failing symbol leaves every other candle stored: partial, exit 3, and healing adds the rest', async () => {
  const simulation = await simulate({
    seed: 'one of three',
    symbols: THREE,
    interval: '1h',
    plan: always({ kind: 'status', status: 500 }, { symbol: 'ETHUSDT' }),
  });
  const result = await simulation.run({ days: MONTH });
  expect(result).toMatchObject({ ending: 'partial', pending: 720, error: null });
  expect(bronze(result)).toMatchObject({
    outcome: 'partial',
    symbols_ok: 2,
    symbols_failed: 1,
    errors: { 'ETH/USDT': 'EXCHANGE_SERVER_ERROR' },
  });
  expect(silver(result)).toMatchObject({ outcome: 'partial', output_rows: 1_440 });
  simulation.venue.plan({ seed: 'calm', rules: [] });
  // The next attempt is in five minutes.
  expect(await simulation.heal('all')).toMatchObject({ runs: [], ending: 'done' });
  await simulation.clock.runUntil(simulation.clock.sleep(5 * 60_000));
  expect(await simulation.heal('all')).toMatchObject({ ending: 'done', pending: 0 });
});

test('failures of more than half of the symbols fail the asset, exit 5, and the survivor is stored', async () => {
  const plan = {
    seed: 'most',
    rules: ['BTCUSDT', 'ETHUSDT'].flatMap((symbol) => always({ kind: 'status', status: 500 }, { symbol }).rules),
  };
  const simulation = await simulate({ seed: 'two of three', symbols: THREE, interval: '1h', plan });
  const result = await simulation.run({ days: MONTH });
  expect(result).toMatchObject({ ending: 'assetFailed', pending: 1_440, error: { code: 'EXCHANGE_SERVER_ERROR' } });
  expect(bronze(result)).toMatchObject({ outcome: 'failed', symbols_ok: 1 });
  expect(silver(result)).toMatchObject({ output_rows: 720 });
});

test.each([
  [500, 'EXCHANGE_SERVER_ERROR', 4],
  [504, 'REQUEST_TIMEOUT', 3],
] as const)(
  'a venue that sends nothing but %i is unreachable: exit 7 after all attempts that %s is granted',
  async (status, code, tries) => {
    const simulation = await simulate({
      seed: 'down',
      symbols: ['BTC/USDT'],
      interval: '1h',
      plan: always({ kind: 'status', status }, { only: 'candles' }),
    });
    const result = await simulation.run({ days: MONTH });
    expect(result).toMatchObject({ ending: 'unreachable', pending: 720, error: { code } });
    expect(simulation.candleRequests()).toBe(tries);
  },
);

test.each([
  ['reset', 6],
  ['silence', 3],
] as const)(
  'without a working network (%s) a run ends with exit 7 within its deadline and states its next attempt',
  async (kind, tries) => {
    const simulation = await simulate({
      seed: 'unplugged',
      symbols: ['BTC/USDT'],
      interval: '1h',
      plan: always({ kind }, { only: 'candles' }),
    });
    const beganMs = simulation.clock.monotonicMs();
    const result = await simulation.run({ days: MONTH });
    expect(result.ending).toBe('unreachable');
    expect(result.nextAttemptAtMs).toBe(simulation.clock.nowMs() + 5 * 60_000);
    expect(simulation.candleRequests()).toBe(tries);
    expect(simulation.clock.monotonicMs() - beganMs).toBeLessThanOrEqual(300_000);
  },
);

test.each([
  [401, 'UNAUTHORIZED'],
  [403, 'FORBIDDEN'],
  [451, 'FORBIDDEN'],
] as const)(
  '%i ends the asset at once as %s, exit 4: one request for each symbol in flight and no retry',
  async (status, code) => {
    const simulation = await simulate({
      seed: 'refused',
      symbols: THREE,
      interval: '1h',
      plan: always({ kind: 'status', status, body: 'html' }, { only: 'candles' }),
    });
    const result = await simulation.run({ days: MONTH });
    expect(result).toMatchObject({ ending: 'refused', error: { code } });
    expect(simulation.candleRequests()).toBeLessThanOrEqual(3);
  },
);

test('a Retry-After of two minutes parks the cells: no request before, not even by hand, then all', async () => {
  const simulation = await simulate({
    seed: 'parked',
    symbols: ['BTC/USDT'],
    interval: '1h',
    plan: {
      seed: 'once',
      rules: [{ match: { path: KLINES }, on: { nth: [1] }, fault: { kind: 'status', status: 429, retryAfter: '120' } }],
    },
  });
  const result = await simulation.run({ days: MONTH });
  expect(result).toMatchObject({ ending: 'partial', pending: 720 });
  expect(bronze(result)).toMatchObject({ outcome: 'parked', errors: { 'BTC/USDT': 'EXCHANGE_RATE_LIMITED' } });
  expect(await decisions(simulation, result)).toEqual([['EXCHANGE_RATE_LIMITED', 'parked']]);
  expect(await simulation.run({ days: MONTH })).toMatchObject({ ending: 'partial', pending: 720 });
  expect(await simulation.heal('none')).toMatchObject({ runs: [] });
  expect(simulation.candleRequests()).toBe(1);
  await simulation.clock.runUntil(simulation.clock.sleep(120_000));
  expect(await simulation.run({ days: MONTH })).toMatchObject({ ending: 'done', pending: 0 });
});

test('an unlisted symbol is confirmed by the list, named in errors, exit 3, and enters no account', async () => {
  const simulation = await simulate({ seed: 'unknown', symbols: ['BTC/USDT', 'FOO/USDT'], interval: '1h' });
  const result = await simulation.run({ days: MONTH });
  expect(result).toMatchObject({ ending: 'partial', pending: 0 });
  expect(bronze(result)).toMatchObject({ outcome: 'partial', errors: { 'FOO/USDT': 'SYMBOL_INVALID' } });
  expect(await simulation.pipeline.ports.store.read(removedSymbols)).toMatchObject([{ symbol: 'FOO/USDT' }]);
  const sent = simulation.venue.log.length;
  expect(bronze(await simulation.run({ days: MONTH }))).toMatchObject({ errors: { 'FOO/USDT': 'SYMBOL_INVALID' } });
  expect(simulation.venue.log.length).toBe(sent);
});

test('a venue that calls a listed symbol invalid: SCHEMA_MISMATCH, pending, and the symbol stays', async () => {
  const simulation = await simulate({
    seed: 'contradiction',
    symbols: THREE,
    interval: '1h',
    plan: always({ kind: 'status', status: 400, venueCode: -1121 }, { symbol: 'SOLUSDT' }),
  });
  const result = await simulation.run({ days: MONTH });
  expect(bronze(result)).toMatchObject({ errors: { 'SOL/USDT': 'SCHEMA_MISMATCH' } });
  expect(result.pending).toBe(720);
  expect(await simulation.pipeline.ports.store.read(removedSymbols)).toEqual([]);
});

test('invalid rows are quarantined, each broken rule is counted, and valid rows heal them', async () => {
  const simulation = await simulate({
    seed: 'invalid',
    symbols: ['BTC/USDT'],
    interval: '1h',
    plan: always({ kind: 'invalid-rows', rule: 'ohlc-order', rows: 5 }, { only: 'candles' }),
  });
  const result = await simulation.run({ days: MONTH });
  expect(silver(result)).toMatchObject({
    input_rows: 720,
    output_rows: 715,
    removed_rows: 5,
    validation_errors: 10,
    outcome: 'complete',
  });
  expect(result).toMatchObject({ ending: 'done', pending: 0 });
  simulation.venue.plan({ seed: 'calm', rules: [] });
  const healed = await simulation.heal('none');
  expect(silver(healed)).toMatchObject({ removed_rows: 0, output_rows: 24 });
});

test('a run that removes more than a tenth of the rows ends with exit 6', async () => {
  const simulation = await simulate({
    seed: 'very invalid',
    symbols: ['BTC/USDT'],
    interval: '1h',
    plan: always({ kind: 'invalid-rows', rule: 'volume-negative', rows: 100 }, { only: 'candles' }),
  });
  const result = await simulation.run({ days: MONTH });
  expect(silver(result)).toMatchObject({ outcome: 'partial', removed_rows: 100 });
  expect(result.ending).toBe('dataQuality');
});

test('a venue that sends web pages for every symbol: exit 6 after two attempts each', async () => {
  const simulation = await simulate({
    seed: 'pages',
    symbols: THREE,
    interval: '1h',
    plan: always({ kind: 'html' }, { only: 'candles' }),
  });
  const result = await simulation.run({ days: MONTH });
  expect(result).toMatchObject({ ending: 'dataQuality', pending: 2_160, error: { code: 'SCHEMA_MISMATCH' } });
  expect(simulation.candleRequests()).toBe(6);
});

test('an empty response inside the listed period is requested again and every candle arrives', async () => {
  const simulation = await simulate({
    seed: 'empty',
    symbols: ['BTC/USDT'],
    interval: '1h',
    plan: { seed: 'once', rules: [{ match: { path: KLINES }, on: { nth: [1] }, fault: { kind: 'empty-list' } }] },
  });
  expect(await simulation.run({ days: MONTH })).toMatchObject({ ending: 'done', pending: 0 });
});

test('candles of the first half of a month are not requested again with the second half', async () => {
  const simulation = await simulate({ seed: 'halves', symbols: ['BTC/USDT'], interval: '1h' });
  await simulation.run({ days: { start: '2024-06-01', end: '2024-06-15' } });
  await simulation.run({ days: MONTH });
  const requestedFrom = simulation.venue.log
    .filter(({ path }) => path === KLINES)
    .map((entry) => new URLSearchParams(entry.query).get('startTime'));
  expect(requestedFrom).toEqual([String(Date.UTC(2024, 5, 1)), String(Date.UTC(2024, 5, 16))]);
});

test('cells that another run has leased: exit 9, each symbol with its code, and no request', async () => {
  const simulation = await simulate({ seed: 'leased', symbols: ['BTC/USDT'], interval: '1h' });
  const { store, processes, clock } = simulation.pipeline.ports;
  await store.transact(
    takeLeases,
    { names: ['cells:binance:1h:2024-06'], owner: 'run_other', nowMs: clock.nowMs() },
    processes,
  );
  const result = await simulation.run({ days: MONTH });
  expect(result).toMatchObject({ ending: 'leased', error: { code: 'CELLS_LEASED', facts: { owner: 'run_other' } } });
  expect(bronze(result)).toMatchObject({ outcome: 'partial', symbols_ok: 0, errors: { 'BTC/USDT': 'CELLS_LEASED' } });
  expect(simulation.candleRequests()).toBe(0);
});
