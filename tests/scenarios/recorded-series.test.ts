import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { realFiles } from '../../src/kernel/files.ts';
import { dayOf, dayRange } from '../../src/market/partition.ts';
import { readCandles } from '../../src/engine/candle-reader.ts';
import { gapReport } from '../../src/engine/gap-report.ts';
import { faultsOfRun } from '../../src/faults/ledger/fault-log.ts';
import { everyHealingFault } from '../../src/rehearsal/fault-plan.ts';
import { compareWithTruth, type Comparison } from '../../src/rehearsal/truth.ts';
import { loadTapes, type RecordedSeries } from '../../src/rehearsal/world.ts';
import { rehearse, TAPES, type Rehearsal } from './rehearsed.ts';

/** A folder of recordings of your own (`<interval>/<SYMBOL>*.csv.gz`) is tested like the tapes. */
const own = process.env['CANDLEKEEP_TAPES'];
const series = [...TAPES.series, ...(own === undefined ? [] : loadTapes(realFiles, own).series)];

interface Part {
  readonly rows: RecordedSeries['rows'];
  readonly days: { readonly start: string; readonly end: string };
}

/** A recording with months between its parts is asked part by part. */
function partsOf({ rows }: RecordedSeries): Part[] {
  const parts: (typeof rows[number])[][] = [];
  for (const row of rows) {
    const last = parts.at(-1)?.at(-1);
    if (last && row[0] - last[0] < 7 * 86_400_000) parts.at(-1)?.push(row);
    else parts.push([row]);
  }
  return parts.map((part) => ({ rows: part, days: { start: dayOf(part[0]![0]), end: dayOf(part.at(-1)![0]) } }));
}

async function compareAll(rehearsal: Rehearsal, recorded: RecordedSeries): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const { rows, days } of partsOf(recorded)) {
    const range = { fromMs: dayRange(days.start).fromMs, toMs: dayRange(days.end).toMs };
    const series = { exchange: 'binance', symbol: recorded.symbol, interval: recorded.interval } as const;
    comparisons.push(compareWithTruth(await rehearsal.clock.runUntil(readCandles(rehearsal.pipeline, { series, range })), rows, recorded.columns));
  }
  return comparisons;
}

const nothingWrong = { lost: 0, doubled: 0, invented: 0, wrong: 0 };

/** Every file of the lake with its hash and time of change. */
function fingerprint(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => /^(?:bronze|silver|quarantine)\//.test(name) && statSync(join(directory, name)).isFile())
    .toSorted().map((name) => `${name} ${createHash('sha256').update(readFileSync(join(directory, name))).digest('hex')} ${statSync(join(directory, name)).mtimeMs}`);
}

test.each(series.map((recorded) => [`${recorded.venueSymbol} ${recorded.interval}, ${recorded.rows.length} recorded rows`, recorded] as const))('%s arrive in silver, and a second run asks nothing and changes nothing', async (_name, recorded) => {
  const rehearsal = await rehearse({ seed: 'recorded', symbols: [recorded.symbol], interval: recorded.interval, world: { series: [recorded], find: (symbol, interval) => (symbol === recorded.venueSymbol && interval === recorded.interval ? recorded : null) } });
  for (const { days } of partsOf(recorded)) await rehearsal.run({ days });
  for (const comparison of await compareAll(rehearsal, recorded)) expect(comparison).toMatchObject(nothingWrong);

  const [asked, before] = [rehearsal.candleRequests(), fingerprint(rehearsal.dataDir)];
  expect(before.length).toBeGreaterThan(0);
  for (const { days } of partsOf(recorded)) await rehearsal.run({ days });
  expect(rehearsal.candleRequests()).toBe(asked);
  expect(fingerprint(rehearsal.dataDir)).toEqual(before);
});

test.each(['a', 'b', 'c'])('with every healing fault injected (seed %s) the same rows arrive, and each fault stands in the fault log under its code', async (seed) => {
  const month = TAPES.series.filter((one) => one.interval === '1h' && one.rows.at(-1)![0] >= Date.UTC(2024, 5, 30));
  const rehearsal = await rehearse({ seed, symbols: month.map((one) => one.symbol), interval: '1h', plan: everyHealingFault(seed) });
  const days = { start: '2024-06-01', end: '2024-06-30' };
  const runs = [...(await rehearsal.run({ days })).runs];
  for (let turn = 0; turn < 20 && rehearsal.candleRequests() < 45; turn++) runs.push(...(await rehearsal.run({ days, selection: 'all' })).runs);
  await rehearsal.heal('none');

  for (const recorded of month) {
    const june = { ...recorded, rows: recorded.rows.filter((row) => row[0] >= Date.UTC(2024, 5, 1)) };
    for (const comparison of await compareAll(rehearsal, june)) expect(comparison).toMatchObject(nothingWrong);
  }
  const logged = await rehearsal.pipeline.ports.store.read('faults', function* () {
    const entries = [];
    for (const run of runs) entries.push(...(yield* faultsOfRun(run.id, 1_000)));
    return entries;
  });
  const injected = rehearsal.venue.log.filter((entry) => entry.fault !== null && entry.code !== null);
  expect(injected.length).toBe(everyHealingFault(seed).rules.length);
  for (const entry of injected) expect(logged.filter((fault) => fault.record.code === entry.code).length, `${entry.fault?.kind} as ${entry.code}`).toBeGreaterThan(0);
  const report = await rehearsal.clock.runUntil(gapReport(rehearsal.pipeline, { range: { fromMs: dayRange(days.start).fromMs, toMs: dayRange(days.end).toMs }, markets: rehearsal.pipeline.settings.markets, intervals: ['1h'], verify: true, explained: true }));
  expect(report).toMatchObject({ gaps: [], discrepancies: [], totals: { expected: 2_160, present: 2_160 } });
  expect(rehearsal.venue.log.filter((entry) => entry.sentWhileClosed)).toEqual([]);
});
