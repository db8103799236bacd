import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../platform/node/sqlite-store.ts';
import type { Processes } from '../platform/ports/processes.ts';
import type { Store } from '../platform/ports/store.ts';
import { dayRange } from '../domain/partition.ts';
import { gridOf } from '../domain/range.ts';
import { CellsLeasedError, RateLimitError } from '../errors/errors.ts';
import { toRecord } from '../errors/fault-record.ts';
import { countCell } from '../domain/account.ts';
import { balances } from '../../tests/support/balances.ts';
import { nextHealingAtMs, nextRecheckAtMs, type CellState } from '../domain/cell.ts';
import { GAP_STATES } from '../domain/gap.ts';
import { cellsOfSeries, cellsToHeal, incompleteCells, ledgerTotals, recordCells } from './cells.ts';
import { endCrashedRuns } from './crashes.ts';
import { countFaults, faultsOfRun, recordFaults, type FaultEntry } from './fault-log.ts';
import { LEASE_TTL_MS, releaseLeases, renewLeases, runLease, takeLeases } from './leases.ts';
import {
  beginRun,
  checkFence,
  createRun,
  finishRun,
  isCancelRequested,
  listRuns,
  readRun,
  requestCancel,
  retryKey,
  unretriedRuns,
  type NewRun,
} from './runs.ts';
import { LEDGER_1 } from './schema.ts';
import { firstCandleOf, recordFirstCandle, removedSymbols, removeSymbol } from './symbols.ts';

const openLedger = (): Store => openSqliteStore({ path: ':memory:', migrations: [LEDGER_1] });
const newRun = (id: string): NewRun => ({
  id,
  interval: '1h',
  partition: '2024-06-01',
  partitionEnd: '2024-06-02',
  trigger: 'manual',
  tags: { team: 'data' },
  request: { markets: [], selection: 'missing', waitPolicy: 'all', assets: [] },
});
const finished = { outcome: 'complete', assets: [], error: null } as const;
const processes = (alive: boolean): Processes => ({
  self: { host: 'here', pid: 7, startMark: 'a' },
  mayBeAlive: () => alive,
});

test('a run is begun once, owned by a fence, and finished once', async () => {
  const store = openLedger();
  await store.transact(createRun, newRun('run_1'), 1_000);
  const fence = await store.transact(beginRun, 'run_1', 'here:7', 2_000);
  expect(fence).toEqual({ runId: 'run_1', owner: 'here:7', fence: 1 });
  await store.transact(finishRun, fence!, finished, 3_000);
  expect(await store.read(readRun, 'run_1')).toMatchObject({
    status: 'finished',
    outcome: 'complete',
    crashCount: 0,
    tags: { team: 'data' },
    startedAtMs: 2_000,
    finishedAtMs: 3_000,
  });
  expect(await store.transact(beginRun, 'run_1', 'here:8', 4_000)).toBeNull();
});

test('a process that lost its run cannot write', async () => {
  const store = openLedger();
  await store.transact(createRun, newRun('run_1'), 1_000);
  const sleeper = await store.transact(beginRun, 'run_1', 'here:7', 2_000);
  const successor = await store.transact(beginRun, 'run_1', 'here:8', 60_000);
  await expect(store.transact(checkFence, sleeper!)).rejects.toThrow(CellsLeasedError);
  await expect(store.transact(finishRun, sleeper!, finished, 61_000)).rejects.toThrow(CellsLeasedError);
  await store.transact(finishRun, successor!, finished, 62_000);
  expect(await store.read(readRun, 'run_1')).toMatchObject({
    crashCount: 1,
    fence: 2,
    owner: 'here:8',
  });
});

test('a cancel request reaches a running run, not a finished one', async () => {
  const store = openLedger();
  await store.transact(createRun, newRun('run_1'), 1_000);
  expect(await store.read(isCancelRequested, 'run_1')).toBe(false);
  expect(await store.transact(requestCancel, 'run_1')).toBe(true);
  expect(await store.read(isCancelRequested, 'run_1')).toBe(true);
  expect(await store.transact(requestCancel, 'run_2')).toBe(false);
});

test('of two processes that create a run with the same key, one succeeds', async () => {
  const store = openLedger();
  const create = (id: string): Promise<boolean> =>
    store.transact(createRun, { ...newRun(id), key: retryKey('run_1') }, 1_000);
  expect([await create('run_a'), await create('run_b')]).toEqual([true, false]);
  expect((await store.read(listRuns, 9)).map((run) => run.id)).toEqual(['run_a']);
});

test('a run whose process is gone fails with RUN_CRASHED, and that process cannot write when it wakes up', async () => {
  const store = openLedger();
  await store.transact(createRun, newRun('run_1'), 1_000);
  const sleeper = await store.transact(beginRun, 'run_1', 'here:7', 2_000);
  await store.transact(takeLeases, { names: [runLease('run_1')], owner: 'run_1', nowMs: 2_000 }, processes(true));
  const end = (nowMs: number, alive: boolean) => store.transact(endCrashedRuns, nowMs, processes(alive));
  expect(await end(3_000, true)).toEqual([]);
  expect(await end(3_000, false)).toEqual(['run_1']);
  expect(await end(3_000, false)).toEqual([]);
  expect(await store.read(readRun, 'run_1')).toMatchObject({
    status: 'finished',
    outcome: 'failed',
    crashCount: 1,
    error: { code: 'RUN_CRASHED', facts: { run: 'run_1' } },
  });
  await expect(store.transact(finishRun, sleeper!, finished, 4_000)).rejects.toThrow(CellsLeasedError);
});

test('a queued run that never began counts as crashed after the lease time', async () => {
  const store = openLedger();
  await store.transact(createRun, newRun('run_1'), 1_000);
  const end = (nowMs: number) => store.transact(endCrashedRuns, nowMs, processes(true));
  expect(await end(1_000 + LEASE_TTL_MS)).toEqual([]);
  expect(await end(1_001 + LEASE_TTL_MS)).toEqual(['run_1']);
});

test.each(['failed', 'partial', 'parked'] as const)(
  'a run that ended %s is found until it has a retry',
  async (outcome) => {
    const store = openLedger();
    await store.transact(createRun, newRun('run_1'), 1_000);
    const fence = await store.transact(beginRun, 'run_1', 'here:7', 2_000);
    await store.transact(finishRun, fence!, { ...finished, outcome }, 3_000);
    const found = async (sinceMs: number) => (await store.read(unretriedRuns, sinceMs)).map((run) => run.id);
    expect([await found(3_000), await found(3_001)]).toEqual([['run_1'], []]);
    await store.transact(createRun, { ...newRun('run_2'), key: retryKey('run_1') }, 4_000);
    expect(await found(3_000)).toEqual([]);
  },
);

test('runs are listed newest first', async () => {
  const store = openLedger();
  for (const [at, id] of ['run_a', 'run_b', 'run_c'].entries()) await store.transact(createRun, newRun(id), at);
  expect((await store.read(listRuns, 2)).map((run) => run.id)).toEqual(['run_c', 'run_b']);
});

test('a lease is refused while its holder lives and granted when it is dead, expired or released', async () => {
  const store = openLedger();
  const take = (owner: string, nowMs: number, alive: boolean): Promise<unknown> =>
    store.transact(takeLeases, { names: ['cells:x'], owner, nowMs }, processes(alive));
  expect(await take('run_1', 0, true)).toEqual({ granted: ['cells:x'], refused: [] });
  expect(await take('run_2', 1_000, true)).toEqual({ granted: [], refused: [{ name: 'cells:x', owner: 'run_1' }] });
  expect(await take('run_2', 1_000, false)).toMatchObject({ granted: ['cells:x'] });
  expect(await store.transact(renewLeases, 'run_1', 2_000)).toBe(0);
  expect(await take('run_3', 1_000 + LEASE_TTL_MS, true)).toMatchObject({ granted: ['cells:x'] });
  await store.transact(releaseLeases, 'run_3');
  expect(await take('run_4', 32_000, true)).toMatchObject({ granted: ['cells:x'] });
});

const DAY = '2024-06-01';
const series = { exchange: 'binance', symbol: 'BTC/USDT', interval: '1h' } as const;
const cellOf = (over: Partial<CellState> = {}): CellState => ({
  ...series,
  day: DAY,
  account: { expected: 24, present: 20, no_trades: 0, outage: 0, quarantined: 1, pending: 3 },
  gaps: [
    {
      fromMs: dayRange(DAY).fromMs,
      toMs: dayRange(DAY).fromMs + 3 * 3_600_000,
      state: 'pending',
      code: 'ROWS_MISSING',
      cause: 'second_look',
    },
  ],
  flat: [{ fromMs: 1, toMs: 2 }],
  cut: [{ openTimeMs: 3, closeTimeMs: 4 }],
  attempts: 1,
  pendingSinceMs: 1_000,
  nextAttemptAtMs: 5_000,
  notBeforeMs: null,
  ...over,
});

test('the account balances for any candles and reasons', () => {
  const range = dayRange(DAY);
  const grid = gridOf(range, '1h');
  fc.assert(
    fc.property(fc.array(fc.constantFrom('present', ...GAP_STATES), { minLength: 24, maxLength: 24 }), (states) => {
      const stateAt = new Map(grid.map((openTimeMs, at) => [openTimeMs, states[at] ?? 'pending']));
      const { account, gaps } = countCell({
        due: range,
        interval: '1h',
        present: new Set(grid.filter((openTimeMs) => stateAt.get(openTimeMs) === 'present')),
        reasonOf: (openTimeMs) => ({ state: stateAt.get(openTimeMs) as 'pending', code: null, cause: null }),
      });
      expect(balances(account)).toBe(true);
      expect(account.expected).toBe(24);
      expect(gaps.flatMap((gap) => gridOf(gap, '1h').map((openTimeMs) => [openTimeMs, gap.state]))).toEqual(
        [...stateAt].filter(([, state]) => state !== 'present'),
      );
    }),
  );
});

test('cells are read back as recorded, and the last record wins', async () => {
  const store = openLedger();
  await store.transact(recordCells, [cellOf(), cellOf({ day: '2024-06-02' })], { runId: 'run_1', nowMs: 1 });
  await store.transact(recordCells, [cellOf({ attempts: 2 })], { runId: 'run_2', nowMs: 2 });
  const read = await store.read(cellsOfSeries, series, { start: DAY, end: DAY });
  expect(read).toEqual([cellOf({ attempts: 2 })]);
  expect(await store.read(ledgerTotals)).toMatchObject([
    { exchange: 'binance', interval: '1h', cells: 2, symbols: 1, expected: 48, present: 40, pending: 6 },
  ]);
});

test('the store rejects an account that does not balance', async () => {
  const store = openLedger();
  const wrong = cellOf({ account: { expected: 24, present: 24, no_trades: 0, outage: 0, quarantined: 0, pending: 1 } });
  await expect(store.transact(recordCells, [wrong], { runId: 'run_1', nowMs: 1 })).rejects.toThrow('CHECK constraint');
  expect(await store.read(cellsOfSeries, series, { start: DAY, end: DAY })).toEqual([]);
});

test('healing selects cells whose next attempt is due and that no exchange holds back', async () => {
  const store = openLedger();
  const cells = [
    cellOf({ day: '2024-06-01' }),
    cellOf({ day: '2024-06-02', nextAttemptAtMs: 9_000 }),
    cellOf({ day: '2024-06-03', notBeforeMs: 7_000 }),
    cellOf({ day: '2024-06-04', nextAttemptAtMs: null }),
  ];
  await store.transact(recordCells, cells, { runId: 'run_1', nowMs: 1 });
  const days = async (nowMs: number, of: typeof cellsToHeal): Promise<string[]> =>
    (await store.read(of, nowMs, 10)).map((cell) => cell.day).toSorted();
  expect(await days(6_000, cellsToHeal)).toEqual(['2024-06-01']);
  expect(await days(9_000, cellsToHeal)).toEqual(['2024-06-01', '2024-06-02', '2024-06-03']);
  expect(await days(6_000, incompleteCells)).toEqual(['2024-06-01', '2024-06-02', '2024-06-04']);
});

test('healing waits 5 min, 15 min, 1 h, 6 h, then a day; a hole waits for its recheck, then a day', () => {
  const minute = 60_000;
  const healing = (afterMinutes: number): number => nextHealingAtMs(7, 7 + afterMinutes * minute) / minute - 7 / minute;
  expect([0, 4.9, 5, 15, 59, 60, 360, 1_439, 1_440, 3_000].map(healing)).toEqual([
    5, 5, 15, 60, 60, 360, 1_440, 1_440, 2_880, 4_320,
  ]);
  expect(
    [0, 59, 60, 1_440].map((after) => nextRecheckAtMs(60 * minute, { sinceMs: 0, nowMs: after * minute }) / minute),
  ).toEqual([60, 60, 1_440, 2_880]);
});

test('a fault is logged once per id and found by run and by code', async () => {
  const store = openLedger();
  const fault = new RateLimitError('binance limits us', {
    exchange: 'binance',
    status: 429,
    venueCode: '-1003',
    retryAfterMs: 3_000,
  });
  const entry: FaultEntry = {
    id: 'fault_1',
    atMs: 10,
    runId: 'run_1',
    ...series,
    range: { fromMs: 0, toMs: 1 },
    attempt: 1,
    triesMax: 5,
    decision: 'retry',
    waitMs: 3_000,
    record: toRecord(fault),
  };
  for (let again = 0; again < 2; again++) await store.transact(recordFaults, [entry]);
  expect(await store.read(faultsOfRun, 'run_1', 10)).toEqual([entry]);
  expect(await store.read(countFaults, 0)).toEqual([{ code: 'EXCHANGE_RATE_LIMITED', count: 1 }]);
});

test('removed symbols and first candles are remembered', async () => {
  const store = openLedger();
  const removed = {
    exchange: 'binance',
    symbol: 'FOO/BAR',
    code: 'SYMBOL_INVALID',
    reason: 'not in the list',
    changedAtMs: 5,
  } as const;
  await store.transact(removeSymbol, removed);
  expect(await store.read(removedSymbols)).toEqual([removed]);
  expect(await store.read(firstCandleOf, series)).toBeNull();
  await store.transact(recordFirstCandle, series, { openMs: 42, seenAtMs: 50 });
  expect(await store.read(firstCandleOf, series)).toEqual({ openMs: 42, seenAtMs: 50 });
});
