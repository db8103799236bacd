import { expect, test } from 'vitest';
import type { FaultPlan, FaultSpec } from '../../../src/simulation/fault-plan.ts';
import { simulate, START_MS, type Simulation } from '../../support/simulated.ts';

// Known defects of other retry code (tenacity decorators, ccxt, freqtrade, undici), tested from the wire to silver.

const KLINES = '/api/v3/klines';
const DAY = { start: '2024-06-01', end: '2024-06-01' };
const onPages = (fault: FaultSpec, on: FaultPlan['rules'][number]['on'] = { every: 1 }): FaultPlan => ({
  seed: 'pages',
  rules: [{ match: { path: KLINES }, on, fault }],
});
const one = (seed: string, plan: FaultPlan, settings: Parameters<typeof simulate>[0]['settings'] = {}) =>
  simulate({ seed, symbols: ['BTC/USDT'], interval: '1h', plan, settings });
const pagesAt = (simulation: Simulation): number[] =>
  simulation.venue.log.filter(({ path }) => path === KLINES).map(({ atMs }) => atMs);

test.each([400, 401, 403, 404, 405, 409, 410, 413, 422, 451])('a permanent %i is not retried', async (status) => {
  const simulation = await one('permanent', onPages({ kind: 'status', status, body: 'json' }));
  await simulation.run({ days: DAY });
  await simulation.clock.runUntil(simulation.clock.sleep(3_600_000));
  expect(simulation.candleRequests()).toBe(1);
});

test.each(['reset', 'cut', 'truncated-json'] as const)(
  'a connection that breaks during the response (%s) is retried',
  async (kind) => {
    const simulation = await one('broken read', onPages({ kind }, { nth: [1, 2] }));
    expect(await simulation.run({ days: DAY })).toMatchObject({ ending: 'done', pending: 0 });
    expect(simulation.candleRequests()).toBe(3);
  },
);

test('a Retry-After that is a date is a wait, not a crash, and the failure keeps its code', async () => {
  const simulation = await one(
    'date',
    onPages({ kind: 'status', status: 429, retryAfter: new Date(START_MS + 45_000).toUTCString() }, { nth: [1] }),
  );
  expect(await simulation.run({ days: DAY })).toMatchObject({ ending: 'done' });
  expect(pagesAt(simulation)[1]).toBeGreaterThanOrEqual(START_MS + 45_000);
});

test('Retry-After is not shortened to our maximum, and a 503 does not make us ignore it', async () => {
  const simulation = await one('ignored', onPages({ kind: 'status', status: 503, retryAfter: '55' }, { nth: [1, 2] }));
  await simulation.run({ days: DAY });
  const [first = 0, second = 0, third = 0] = pagesAt(simulation);
  expect(second - first).toBeGreaterThanOrEqual(55_000);
  expect(third - second).toBeGreaterThanOrEqual(55_000);
});

test('clients that failed together do not retry together: waits are jittered', async () => {
  const waits = new Set<number>();
  for (let client = 0; client < 12; client++) {
    const simulation = await one(`client ${client}`, onPages({ kind: 'status', status: 500 }, { nth: [1] }));
    await simulation.run({ days: DAY });
    const [first = 0, second = 0] = pagesAt(simulation);
    waits.add(second - first);
  }
  expect(waits.size).toBeGreaterThanOrEqual(9);
});

test('a Retry-After for one worker stops all workers', async () => {
  const symbols = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'];
  const slow = {
    match: { path: KLINES, symbol: 'SOLUSDT' },
    on: { every: 1 },
    fault: { kind: 'slow', delayMs: 50 },
  } as const;
  const limited = {
    match: { path: KLINES, symbol: 'BTCUSDT' },
    on: { nth: [1] },
    fault: { kind: 'status', status: 429, retryAfter: '30' },
  } as const;
  const simulation = await simulate({
    seed: 'others',
    symbols,
    interval: '1h',
    plan: { seed: 'others', rules: [limited, slow] },
  });
  expect(await simulation.run({ days: DAY })).toMatchObject({ ending: 'done', pending: 0 });
  expect(simulation.venue.log.filter(({ sentWhileClosed }) => sentWhileClosed)).toEqual([]);
  const closedAtMs = simulation.venue.log.find(({ status }) => status === 429)?.atMs ?? 0;
  expect(pagesAt(simulation).filter((atMs) => atMs > closedAtMs + 100 && atMs < closedAtMs + 30_000)).toEqual([]);
});

test.each([
  [403, 'html'],
  [451, 'json'],
] as const)(
  '%i refuses this machine (FORBIDDEN): neither a rate limit nor a missing symbol, and not retried',
  async (status, body) => {
    const simulation = await one('refused', onPages({ kind: 'status', status, body }));
    expect(await simulation.run({ days: DAY })).toMatchObject({ ending: 'refused', error: { code: 'FORBIDDEN' } });
    expect(simulation.candleRequests()).toBe(1);
  },
);

test('a ban is waited out, not probed: nothing is sent before its end', async () => {
  const simulation = await one('banned', onPages({ kind: 'ban', forMs: 150_000 }, { nth: [1] }));
  expect(await simulation.run({ days: DAY })).toMatchObject({ ending: 'partial', pending: 24 });
  for (let minute = 0; minute < 2; minute++) {
    await simulation.clock.runUntil(simulation.clock.sleep(60_000));
    await simulation.run({ days: DAY });
    await simulation.heal('none');
  }
  expect(simulation.candleRequests()).toBe(1);
  await simulation.clock.runUntil(simulation.clock.sleep(30_000));
  expect(await simulation.run({ days: DAY })).toMatchObject({ ending: 'done', pending: 0 });
});
