import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dayRange } from '../../../src/domain/partition.ts';
import { manifestOf } from '../../../src/lake/manifest.ts';
import { readCandles } from '../../../src/engine/queries/candle-reader.ts';
import { decideQuarantined } from '../../../src/engine/maintenance/quarantine-decision.ts';
import { quarantined } from '../../../src/engine/queries/quarantine.ts';
import { repair } from '../../../src/engine/maintenance/repair.ts';
import type { QuarantineVerdict } from '../../../src/lake/quarantine-decisions.ts';
import type { FaultSpec } from '../../../src/simulation/fault-plan.ts';
import { simulate, verifiedAccount, type Simulation } from '../../support/simulated.ts';

const DAY = '2024-06-15';
const DAYS = { start: DAY, end: DAY };
const control = { signal: new AbortController().signal, onProgress: () => undefined };
const everyTime = (fault: FaultSpec) => ({
  seed: 'q',
  rules: [{ match: { path: '/api/v3/klines' }, on: { every: 1 }, fault }],
});

async function withBadRows(rule: 'ohlc-order' | 'not-finite' = 'ohlc-order'): Promise<Simulation> {
  const simulation = await simulate({
    seed: 'q',
    symbols: ['BTC/USDT'],
    interval: '1h',
    plan: everyTime({ kind: 'invalid-rows', rule, rows: 2 }),
  });
  await simulation.run({ days: DAYS });
  return simulation;
}

const report = (simulation: Simulation) => verifiedAccount(simulation, { start: DAY, end: DAY });
const rowsOf = ({ clock, pipeline }: Simulation) =>
  clock.runUntil(quarantined(pipeline, { exchanges: null, symbols: null, intervals: null, days: null }));
const silver = ({ clock, pipeline }: Simulation) =>
  clock.runUntil(
    readCandles(pipeline, {
      series: { exchange: 'binance', symbol: 'BTC/USDT', interval: '1h' },
      range: dayRange(DAY),
    }),
  );
const manifest = async ({ pipeline }: Simulation) => (await pipeline.ports.store.read(manifestOf, 'binance', '1h'))[0];

async function decide(simulation: Simulation, verdict: QuarantineVerdict, openTimeMs?: number): Promise<void> {
  const rows = (await rowsOf(simulation)).filter(
    ({ row }) => openTimeMs === undefined || row.openTimeMs === openTimeMs,
  );
  await simulation.clock.runUntil(
    decideQuarantined(simulation.pipeline, { rows, verdict, reason: 'matches the trades', by: 'ann' }, control),
  );
}

const decisions = ({ dataDir }: Simulation) =>
  readFileSync(join(dataDir, 'decisions.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('a released row is in silver, account and manifest, and stays there after rebuilds', async () => {
  const simulation = await withBadRows();
  const [bad] = await rowsOf(simulation);
  expect((await report(simulation)).totals).toMatchObject({ expected: 24, present: 22, quarantined: 2 });
  await decide(simulation, 'release', bad?.row.openTimeMs);
  const check = async (): Promise<void> => {
    expect(await report(simulation)).toMatchObject({ totals: { present: 23, quarantined: 1 }, discrepancies: [] });
    expect((await silver(simulation)).find(({ openTimeMs }) => openTimeMs === bad?.row.openTimeMs)).toEqual(bad?.row);
    expect((await manifest(simulation))?.released).toEqual([
      {
        symbol: 'BTC/USDT',
        openTimeMs: bad?.row.openTimeMs,
        rules: bad?.rules,
        reason: 'matches the trades',
        by: 'ann',
      },
    ]);
  };
  await check();
  expect(decisions(simulation)).toMatchObject([
    { verdict: 'release', raw: bad?.raw, by: 'ann', reason: 'matches the trades' },
  ]);
  await simulation.pipeline.ports.store.transact(function* forget() {
    yield { sql: 'delete from quarantine_decisions', values: [] };
  });
  await simulation.clock.runUntil(repair(simulation.pipeline, control));
  await check();
});

test('a dropped row stays out and is not requested again; a later valid row still heals the account', async () => {
  const simulation = await withBadRows();
  await decide(simulation, 'drop');
  expect(await report(simulation)).toMatchObject({
    totals: { present: 22, quarantined: 2 },
    gaps: [{ cause: 'dropped', nextAttemptAtMs: null }],
    discrepancies: [],
  });
  const requestsBefore = simulation.candleRequests();
  await simulation.clock.runUntil(simulation.clock.sleep(86_400_000));
  await simulation.heal('all');
  await simulation.heal('none');
  await simulation.run({ days: DAYS });
  expect(simulation.candleRequests()).toBe(requestsBefore);
  simulation.venue.plan({ seed: 'good', rules: [] });
  await simulation.run({ days: DAYS, selection: 'all' });
  expect(await report(simulation)).toMatchObject({
    totals: { present: 24, quarantined: 0 },
    gaps: [],
    discrepancies: [],
  });
});

test('a valid row after a release replaces the released one as a revision', async () => {
  const simulation = await withBadRows();
  await decide(simulation, 'release');
  simulation.venue.plan({ seed: 'good', rules: [] });
  await simulation.run({ days: DAYS, selection: 'all' });
  expect(await manifest(simulation)).toMatchObject({ released: [], revision: 3 });
  expect(readFileSync(join(simulation.dataDir, 'corrections.ndjson'), 'utf8').trimEnd().split('\n')).toHaveLength(2);
});

test('a row with values that are not numbers cannot be released', async () => {
  const simulation = await withBadRows('not-finite');
  await expect(decide(simulation, 'release')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  expect((await report(simulation)).totals.quarantined).toBe(2);
});
