import { expect, test } from 'vitest';
import type { GapState } from '../../../src/domain/gap.ts';
import { verdictsOf } from '../../../src/state/verdicts.ts';
import { DAY_MS } from '../../../src/domain/interval.ts';
import { dayRange } from '../../../src/domain/partition.ts';
import { acceptHoles } from '../../../src/engine/maintenance/acceptance.ts';
import type { FaultPlan } from '../../../src/simulation/fault-plan.ts';
import { simulate, verifiedAccount, type Simulation } from '../../support/simulated.ts';

const SIX_HOURS_MS = 21_600_000;
const MONTH = { start: '2024-06-01', end: '2024-06-30' };
/** The venue has no candles on the 20th from 10:00 to 13:00. */
const SILENT = { fromMs: Date.UTC(2024, 5, 20, 10), toMs: Date.UTC(2024, 5, 20, 13) };
/** All liquid: with fewer than three, own data prove no outage. */
const THREE = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'];

const without = (symbols: readonly string[]): FaultPlan => ({
  seed: 'silent',
  rules: symbols.map((symbol) => ({
    match: { path: '/api/v3/klines', symbol: symbol.replace('/', '') },
    on: { every: 1 },
    fault: { kind: 'missing-rows', ...SILENT },
  })),
});

const gapsOf = async (simulation: Simulation) =>
  (await verifiedAccount(simulation, MONTH)).gaps.map(({ symbol, state, cause, candles }) => [
    symbol,
    state,
    cause,
    candles,
  ]);

/** Sets the state of every verdict, as a person with a database client could. */
const editVerdicts = ({ pipeline }: Simulation, state: GapState) =>
  pipeline.ports.store.transact(function* edit() {
    yield { sql: 'update verdicts set state = $1', values: [state] };
  });

test('the list of incidents explains the Binance outage of 2021-04-25, and nothing is requested again', async () => {
  const simulation = await simulate({ seed: 'outage', symbols: ['BTC/USDT', 'XRP/USDT'], interval: '1m' });
  const day = { start: '2021-04-25', end: '2021-04-25' };
  expect(await simulation.run({ days: day })).toMatchObject({ ending: 'done', pending: 0 });
  const { totals, gaps, discrepancies } = await verifiedAccount(simulation, day);
  expect(totals).toMatchObject({ expected: 2_880, outage: 284 + 283, pending: 0 });
  expect(gaps.map(({ symbol, cause, candles }) => [symbol, cause, candles])).toEqual([
    ['BTC/USDT', 'known_incident', 284],
    ['XRP/USDT', 'known_incident', 283],
  ]);
  expect(discrepancies).toEqual([]);
  const verdicts = await simulation.pipeline.ports.store.read(
    verdictsOf,
    { exchange: 'binance', symbol: 'XRP/USDT', interval: '1m' },
    dayRange(day.start),
  );
  expect(verdicts).toMatchObject([{ state: 'outage', evidence: { incident: 'binance 2021-04-25T04:01Z' } }]);
  const requestsBefore = simulation.venue.log.length;
  await simulation.clock.runUntil(simulation.clock.sleep(10 * DAY_MS));
  await simulation.heal('all');
  expect(simulation.venue.log.length).toBe(requestsBefore);
});

test('hours that all liquid symbols miss are pending until requested twice, then an outage', async () => {
  const simulation = await simulate({ seed: 'silence', symbols: THREE, interval: '1h', plan: without(THREE) });
  expect(await simulation.run({ days: MONTH })).toMatchObject({
    ending: 'partial',
    pending: 9,
    nextAttemptAtMs: simulation.clock.nowMs() + SIX_HOURS_MS,
  });
  expect(await gapsOf(simulation)).toEqual(THREE.map((symbol) => [symbol, 'pending', 'second_look', 3]));
  await simulation.clock.runUntil(simulation.clock.sleep(SIX_HOURS_MS));
  expect(await simulation.heal('all')).toMatchObject({ ending: 'done', pending: 0 });
  expect(await gapsOf(simulation)).toEqual(THREE.map((symbol) => [symbol, 'outage', 'venue_outage', 3]));
  expect((await verifiedAccount(simulation, MONTH)).discrepancies).toEqual([]);
});

test('candles that arrive at the second attempt are no gap', async () => {
  const simulation = await simulate({ seed: 'late', symbols: THREE, interval: '1h', plan: without(THREE) });
  await simulation.run({ days: MONTH });
  simulation.venue.plan({ seed: 'calm', rules: [] });
  await simulation.clock.runUntil(simulation.clock.sleep(SIX_HOURS_MS));
  expect(await simulation.heal('all')).toMatchObject({ ending: 'done', pending: 0 });
  expect(await verifiedAccount(simulation, MONTH)).toMatchObject({
    gaps: [],
    discrepancies: [],
    totals: { expected: 2_160, present: 2_160 },
  });
});

test('hours that one symbol misses stay pending on a venue that fills empty candles', async () => {
  const simulation = await simulate({ seed: 'alone', symbols: THREE, interval: '1h', plan: without(['BTC/USDT']) });
  await simulation.run({ days: MONTH });
  await simulation.clock.runUntil(simulation.clock.sleep(SIX_HOURS_MS));
  expect(await simulation.heal('all')).toMatchObject({ ending: 'partial', pending: 3 });
  expect(await gapsOf(simulation)).toEqual([['BTC/USDT', 'pending', 'unexplained', 3]]);
});

test('candles that a person accepts are an outage with name and reason, and are not requested again', async () => {
  const simulation = await simulate({ seed: 'accepted', symbols: THREE, interval: '1h', plan: without(['BTC/USDT']) });
  const { pipeline, clock } = simulation;
  await simulation.run({ days: MONTH });
  const order = {
    range: SILENT,
    markets: pipeline.settings.markets,
    intervals: ['1h'],
    reason: 'the exchange confirmed it',
    by: 'ops',
  } as const;
  const control = { signal: new AbortController().signal, onProgress: () => undefined };
  expect(await clock.runUntil(acceptHoles(pipeline, order, control))).toBe(3);
  expect(await gapsOf(simulation)).toEqual([['BTC/USDT', 'outage', 'accepted', 3]]);
  const verdicts = await pipeline.ports.store.read(
    verdictsOf,
    { exchange: 'binance', symbol: 'BTC/USDT', interval: '1h' },
    SILENT,
  );
  expect(verdicts).toMatchObject([{ evidence: { accepted: { reason: 'the exchange confirmed it', by: 'ops' } } }]);
  const requestsBefore = simulation.venue.log.length;
  await clock.runUntil(clock.sleep(2 * DAY_MS));
  expect(await simulation.heal('all')).toMatchObject({ ending: 'done', pending: 0 });
  expect(simulation.venue.log.length).toBe(requestsBefore);
});

test('a verdict stays when its days are rebuilt', async () => {
  const simulation = await simulate({ seed: 'again', symbols: THREE, interval: '1h', plan: without(THREE) });
  await simulation.run({ days: MONTH });
  await simulation.clock.runUntil(simulation.clock.sleep(SIX_HOURS_MS));
  await simulation.heal('all');
  expect(await simulation.run({ days: { start: '2024-06-20', end: '2024-06-20' }, selection: 'all' })).toMatchObject({
    ending: 'done',
    pending: 0,
  });
  expect(await gapsOf(simulation)).toEqual(THREE.map((symbol) => [symbol, 'outage', 'venue_outage', 3]));
});

test('a verdict edited in the store is found', async () => {
  const simulation = await simulate({ seed: 'edited', symbols: ['BTC/USDT', 'XRP/USDT'], interval: '1m' });
  const day = { start: '2021-04-25', end: '2021-04-25' };
  await simulation.run({ days: day });
  await editVerdicts(simulation, 'no_trades');
  const { discrepancies } = await verifiedAccount(simulation, day);
  expect(discrepancies.map(({ message }) => message)).toContain(
    'the verdict no_trades (known_incident) does not follow from its evidence',
  );
  // The account also has an outage without a verdict, for both symbols.
  expect(discrepancies.length).toBeGreaterThanOrEqual(4);
});
