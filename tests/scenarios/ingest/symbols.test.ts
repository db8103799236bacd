import { expect, test } from 'vitest';
import { cellsOfSeries } from '../../../src/state/cells.ts';
import { historyOfSymbols, listSymbols } from '../../../src/engine/queries/symbol-list.ts';
import { disableSymbol, enableSymbol } from '../../../src/engine/maintenance/symbol-activation.ts';
import type { FaultPlan } from '../../../src/simulation/fault-plan.ts';
import { worldOf } from '../../../src/simulation/world.ts';
import { simulate, BINANCE_RECORDINGS, verifiedAccount, type Simulation } from '../../support/simulated.ts';
import { DAY_MS } from '../../../src/domain/interval.ts';

const MONTH = { start: '2024-06-01', end: '2024-06-30' };
const HALF = { start: '2024-06-01', end: '2024-06-15' };
const THREE = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'];
const MARKETS = new Map([['binance', THREE]]);
const SOL = { exchanges: ['binance'], symbol: 'SOL/USDT' };
const WITHOUT_SOL = worldOf(BINANCE_RECORDINGS.series.filter(({ symbol }) => symbol !== 'SOL/USDT'));

const report = (simulation: Simulation) => verifiedAccount(simulation, MONTH);
const requestsForSol = ({ venue }: Simulation): number =>
  venue.log.filter(({ query }) => query.includes('SOLUSDT')).length;

test('a disabled symbol is not requested, even with --force; its due candles stay in the account', async () => {
  const simulation = await simulate({ seed: 'disable', symbols: THREE, interval: '1h' });
  await disableSymbol(simulation.pipeline, { ...SOL, reason: 'we do not trade it' });
  expect(await simulation.run({ days: MONTH })).toMatchObject({
    ending: 'partial',
    pending: 720,
    nextAttemptAtMs: null,
    runs: [{ outcome: 'complete', assets: [{ symbols_ok: 2, symbols_failed: 0, errors: {} }, {}] }],
  });
  await simulation.run({ days: MONTH, selection: 'all' });
  await simulation.heal('none');
  expect(requestsForSol(simulation)).toBe(0);
  expect((await report(simulation)).gaps).toMatchObject([
    { symbol: 'SOL/USDT', candles: 720, state: 'pending', code: null, nextAttemptAtMs: null },
  ]);
  expect(await listSymbols(simulation.pipeline, MARKETS)).toContainEqual(
    expect.objectContaining({
      symbol: 'SOL/USDT',
      state: 'disabled',
      code: null,
      reason: 'we do not trade it',
      nextCheckAtMs: null,
    }),
  );

  expect(await enableSymbol(simulation.pipeline, { ...SOL, reason: 'we do again' })).toEqual(['binance']);
  expect(await enableSymbol(simulation.pipeline, { ...SOL, reason: 'twice' })).toEqual([]);
  expect(await simulation.run({ days: MONTH })).toMatchObject({ ending: 'done', pending: 0 });
  expect((await historyOfSymbols(simulation.pipeline)).map(({ state, reason }) => [state, reason])).toEqual([
    ['removed', 'we do not trade it'],
    ['active', 'we do again'],
  ]);
});

test('healing skips the incomplete cells of a disabled symbol, every time', async () => {
  const plan: FaultPlan = {
    seed: 'down',
    rules: [{ match: { symbol: 'SOLUSDT' }, on: { every: 1 }, fault: { kind: 'status', status: 500 } }],
  };
  const simulation = await simulate({ seed: 'disable later', symbols: THREE, interval: '1h', plan });
  await simulation.run({ days: MONTH });
  const requestsBefore = requestsForSol(simulation);
  await disableSymbol(simulation.pipeline, { ...SOL, reason: 'enough' });
  await simulation.clock.runUntil(simulation.clock.sleep(DAY_MS));
  expect(await simulation.heal('all')).toMatchObject({ runs: [], pending: 720, nextAttemptAtMs: null });
  expect(await simulation.heal('none')).toMatchObject({ runs: [] });
  expect(requestsForSol(simulation)).toBe(requestsBefore);
});

test('a delisted symbol keeps its account, is requested weekly, and is active again once listed', async () => {
  const before = await simulate({ seed: 'listed', symbols: THREE, interval: '1h' });
  await before.run({ days: HALF });
  const gone = await simulate({
    seed: 'delisted',
    symbols: THREE,
    interval: '1h',
    world: WITHOUT_SOL,
    dataDir: before.dataDir,
  });
  expect(await gone.run({ days: MONTH })).toMatchObject({ ending: 'partial', pending: 360 });
  const { changedAtMs } = (await historyOfSymbols(gone.pipeline))[0] ?? { changedAtMs: 0 };
  expect(await report(gone)).toMatchObject({
    totals: { expected: 2_160, present: 1_800, pending: 360 },
    gaps: [{ symbol: 'SOL/USDT', candles: 360, code: 'SYMBOL_INVALID', nextAttemptAtMs: changedAtMs + 7 * DAY_MS }],
  });
  const requestsBefore = requestsForSol(gone);
  await gone.clock.runUntil(gone.clock.sleep(6 * DAY_MS));
  await gone.run({ days: MONTH });
  expect(requestsForSol(gone)).toBe(requestsBefore);
  await gone.clock.runUntil(gone.clock.sleep(2 * DAY_MS));
  await gone.run({ days: MONTH });
  expect(requestsForSol(gone)).toBeGreaterThan(requestsBefore);

  const back = await simulate({ seed: 'listed again', symbols: THREE, interval: '1h', dataDir: before.dataDir });
  await back.clock.runUntil(back.clock.sleep(20 * DAY_MS));
  expect(await back.run({ days: MONTH })).toMatchObject({ ending: 'done', pending: 0 });
  expect(await listSymbols(back.pipeline, MARKETS)).toContainEqual(
    expect.objectContaining({ symbol: 'SOL/USDT', state: 'active' }),
  );
});

test('a run of silver alone does not restore a delisted symbol', async () => {
  const before = await simulate({ seed: 'listed', symbols: THREE, interval: '1h' });
  await before.run({ days: HALF });
  const gone = await simulate({
    seed: 'delisted',
    symbols: THREE,
    interval: '1h',
    world: WITHOUT_SOL,
    dataDir: before.dataDir,
  });
  await gone.run({ days: MONTH });
  const requestsBefore = requestsForSol(gone);
  await gone.run({ days: MONTH, selection: 'all', assets: ['silver'] });
  expect(requestsForSol(gone)).toBe(requestsBefore);
  expect(await listSymbols(gone.pipeline, MARKETS)).toContainEqual(
    expect.objectContaining({ symbol: 'SOL/USDT', state: 'removed' }),
  );
});

test('a run of silver alone requests nothing, so it does not count as an attempt of its cells', async () => {
  const simulation = await simulate({ seed: 'down', symbols: ['BTC/USDT'], interval: '1h' });
  simulation.venue.plan({ seed: 'down', rules: [{ on: { every: 1 }, fault: { kind: 'status', status: 500 } }] });
  await simulation.run({ days: HALF });
  const schedule = () =>
    simulation.pipeline.ports.store.read(function* scheduleOfCells() {
      const cells = yield* cellsOfSeries({ exchange: 'binance', symbol: 'BTC/USDT', interval: '1h' }, HALF);
      return cells.map(({ attempts, nextAttemptAtMs }) => ({ attempts, nextAttemptAtMs }));
    });
  const scheduled = await schedule();
  await simulation.run({ days: HALF, assets: ['silver'] });
  expect(await schedule()).toEqual(scheduled);
});
