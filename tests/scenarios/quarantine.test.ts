import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dayRange } from '../../src/domain/partition.ts';
import { manifestOf } from '../../src/lake/manifest.ts';
import { readCandles } from '../../src/engine/queries/candle-reader.ts';
import { decideQuarantined } from '../../src/engine/maintenance/quarantine-decision.ts';
import { quarantined } from '../../src/engine/queries/quarantine.ts';
import { repair } from '../../src/engine/maintenance/repair.ts';
import type { QuarantineVerdict } from '../../src/lake/quarantine-decisions.ts';
import type { FaultSpec } from '../../src/simulation/fault-plan.ts';
import { rehearse, verifiedAccount, type Rehearsal } from '../support/simulated.ts';

const DAY = '2024-06-15';
const DAYS = { start: DAY, end: DAY };
const control = { signal: new AbortController().signal, onProgress: () => undefined };
const everyTime = (fault: FaultSpec) => ({
  seed: 'q',
  rules: [{ match: { path: '/api/v3/klines' }, on: { every: 1 }, fault }],
});

async function withBadRows(rule: 'ohlc-order' | 'not-finite' = 'ohlc-order'): Promise<Rehearsal> {
  const rehearsal = await rehearse({
    seed: 'q',
    symbols: ['BTC/USDT'],
    interval: '1h',
    plan: everyTime({ kind: 'invalid-rows', rule, rows: 2 }),
  });
  await rehearsal.run({ days: DAYS });
  return rehearsal;
}

const report = (rehearsal: Rehearsal) => verifiedAccount(rehearsal, { start: DAY, end: DAY });
const rowsOf = ({ clock, pipeline }: Rehearsal) =>
  clock.runUntil(quarantined(pipeline, { exchanges: null, symbols: null, intervals: null, days: null }));
const silver = ({ clock, pipeline }: Rehearsal) =>
  clock.runUntil(
    readCandles(pipeline, {
      series: { exchange: 'binance', symbol: 'BTC/USDT', interval: '1h' },
      range: dayRange(DAY),
    }),
  );
const manifest = async ({ pipeline }: Rehearsal) =>
  (await pipeline.ports.store.read('manifestOf', () => manifestOf('binance', '1h')))[0];

async function decide(rehearsal: Rehearsal, verdict: QuarantineVerdict, openTimeMs?: number): Promise<void> {
  const rows = (await rowsOf(rehearsal)).filter(({ row }) => openTimeMs === undefined || row.openTimeMs === openTimeMs);
  await rehearsal.clock.runUntil(
    decideQuarantined(rehearsal.pipeline, { rows, verdict, reason: 'seen on the tape', by: 'ann' }, control),
  );
}

const decisions = ({ dataDir }: Rehearsal) =>
  readFileSync(join(dataDir, 'decisions.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('a released row is in silver as it came, in the account as present, in the manifest by name, and stays so whatever is rebuilt', async () => {
  const rehearsal = await withBadRows();
  const [bad] = await rowsOf(rehearsal);
  expect((await report(rehearsal)).totals).toMatchObject({ expected: 24, present: 22, quarantined: 2 });
  await decide(rehearsal, 'release', bad?.row.openTimeMs);
  const check = async (): Promise<void> => {
    expect(await report(rehearsal)).toMatchObject({ totals: { present: 23, quarantined: 1 }, discrepancies: [] });
    expect((await silver(rehearsal)).find(({ openTimeMs }) => openTimeMs === bad?.row.openTimeMs)).toEqual(bad?.row);
    expect((await manifest(rehearsal))?.released).toEqual([
      { symbol: 'BTC/USDT', openTimeMs: bad?.row.openTimeMs, rules: bad?.rules, reason: 'seen on the tape', by: 'ann' },
    ]);
  };
  await check();
  expect(decisions(rehearsal)).toMatchObject([
    { verdict: 'release', raw: bad?.raw, by: 'ann', reason: 'seen on the tape' },
  ]);
  await rehearsal.pipeline.ports.store.transact('forget', function* () {
    yield { sql: 'delete from quarantine_decisions', values: [] };
  });
  await rehearsal.clock.runUntil(repair(rehearsal.pipeline, control));
  await check();
});

test('a dropped row stays out and is asked for no more; a good row that comes later heals the account all the same', async () => {
  const rehearsal = await withBadRows();
  await decide(rehearsal, 'drop');
  expect(await report(rehearsal)).toMatchObject({
    totals: { present: 22, quarantined: 2 },
    gaps: [{ cause: 'dropped', nextAttemptAtMs: null }],
    discrepancies: [],
  });
  const asked = rehearsal.candleRequests();
  await rehearsal.clock.runUntil(rehearsal.clock.sleep(86_400_000));
  await rehearsal.heal('all');
  await rehearsal.heal('none');
  await rehearsal.run({ days: DAYS });
  expect(rehearsal.candleRequests()).toBe(asked);
  rehearsal.venue.plan({ seed: 'good', rules: [] });
  await rehearsal.run({ days: DAYS, selection: 'all' });
  expect(await report(rehearsal)).toMatchObject({
    totals: { present: 24, quarantined: 0 },
    gaps: [],
    discrepancies: [],
  });
});

test('a good row that comes after a release replaces the released one, as a revision', async () => {
  const rehearsal = await withBadRows();
  await decide(rehearsal, 'release');
  rehearsal.venue.plan({ seed: 'good', rules: [] });
  await rehearsal.run({ days: DAYS, selection: 'all' });
  expect(await manifest(rehearsal)).toMatchObject({ released: [], revision: 3 });
  expect(readFileSync(join(rehearsal.dataDir, 'corrections.ndjson'), 'utf8').trimEnd().split('\n')).toHaveLength(2);
});

test('a row without numbers cannot be released', async () => {
  const rehearsal = await withBadRows('not-finite');
  await expect(decide(rehearsal, 'release')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  expect((await report(rehearsal)).totals.quarantined).toBe(2);
});
