import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { failNth } from '../../support/virtual/failing-ports.ts';
import { diskError } from '../../../src/platform/disk-error.ts';
import { DAY_MS } from '../../../src/domain/interval.ts';
import { everyPage } from '../../../src/lake/bronze/page-index.ts';
import { materialise } from '../../../src/engine/runs/materialise.ts';
import { prune } from '../../../src/engine/maintenance/prune.ts';
import { repair } from '../../../src/engine/maintenance/repair.ts';
import { rejecting, upgradableReader } from '../../support/upgraded-reader.ts';
import { simulate, verifiedAccount, type Simulation, type SimulationOptions } from '../../support/simulated.ts';

const DAYS = { start: '2024-06-01', end: '2024-06-05' };
const never = new AbortController().signal;
const control = { signal: never, onProgress: () => undefined };

const filesOf = (directory: string, layer: string): Map<string, string> =>
  new Map(
    readdirSync(join(directory, layer), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !path.endsWith('manifest.json'))
      .map((path) => [path, readFileSync(path).toString('base64')]),
  );

const report = (simulation: Simulation) => verifiedAccount(simulation, DAYS);
const responses = async ({ pipeline }: Simulation) => await pipeline.ports.store.read(everyPage);

/** Five days fetched twice, forty days ago, with a rejected response before each and a row in quarantine. */
async function stored(seed: string, options: Pick<SimulationOptions, 'adapters'> = {}): Promise<Simulation> {
  const simulation = await simulate({ seed, symbols: ['BTC/USDT', 'ETH/USDT'], interval: '1h', ...options });
  simulation.venue.plan({
    seed,
    rules: [
      { match: { path: '/api/v3/klines' }, on: { nth: [1] }, fault: { kind: 'html' } },
      {
        match: { path: '/api/v3/klines', symbol: 'ETHUSDT' },
        on: { every: 1 },
        fault: { kind: 'invalid-rows', rule: 'ohlc-order', rows: 1 },
      },
    ],
  });
  await simulation.run({ days: DAYS });
  await simulation.run({ days: DAYS, selection: 'all' });
  await simulation.clock.runUntil(simulation.clock.sleep(40 * DAY_MS));
  return simulation;
}

const pruned = ({ clock, pipeline }: Simulation, effect: 'remove' | 'count', keepDays = 30) =>
  clock.runUntil(prune(pipeline, { keepDays, effect }, never));

test('prune removes rejected and superseded responses and old entries, and no row of silver', async () => {
  const simulation = await stored('prune');
  const [silver, quarantine, before] = [
    filesOf(simulation.dataDir, 'silver'),
    filesOf(simulation.dataDir, 'quarantine'),
    await report(simulation),
  ];
  const all = (await responses(simulation)).length;
  expect(await pruned(simulation, 'remove', 41)).toMatchObject({ rejected: 0, superseded: 0, runs: 0 });
  const counted = await pruned(simulation, 'count');
  expect(counted.rejected).toBeGreaterThan(0);
  expect(counted.superseded).toBeGreaterThan(0);
  expect((await responses(simulation)).length).toBe(all);
  expect(await pruned(simulation, 'remove')).toEqual(counted);
  expect((await responses(simulation)).length).toBe(all - counted.rejected - counted.superseded);
  expect(await pruned(simulation, 'remove')).toMatchObject({
    rejected: 0,
    superseded: 0,
    orphans: 0,
    bytes: 0,
    faults: 0,
    runs: 0,
  });
  await simulation.clock.runUntil(repair(simulation.pipeline, control));
  expect(filesOf(simulation.dataDir, 'silver')).toEqual(silver);
  expect(filesOf(simulation.dataDir, 'quarantine')).toEqual(quarantine);
  expect(await report(simulation)).toMatchObject({ totals: before.totals, discrepancies: [] });
});

test.each([
  ['files.append', 'after'],
  ['files.fsync', 'before'],
  ['files.claim', 'after'],
  ['files.remove', 'before'],
  ['store.transact', 'before'],
  ['store.transact', 'after'],
] as const)('no used response is lost when any call of %s fails (%s its effect) during prune', async (kind, when) => {
  for (let n = 1, calls = Infinity; n <= calls; n++) {
    const simulation = await stored(`prune ${kind} ${n}`);
    const { pipeline, clock } = simulation;
    const [silver, before] = [filesOf(simulation.dataDir, 'silver'), await report(simulation)];
    const failing = failNth(pipeline.ports, { kind, when, n, error: diskError('ENOSPC', 'write', '/data') });
    await clock.runUntil(
      prune({ ...pipeline, ports: failing.ports }, { keepDays: 30, effect: 'remove' }, never).catch((error: unknown) =>
        expect(error).toMatchObject({ code: 'ENOSPC' }),
      ),
    );
    calls = failing.calls();
    await clock.runUntil(clock.sleep(60_000));
    await pruned(simulation, 'remove');
    await clock.runUntil(repair(pipeline, control));
    expect(filesOf(simulation.dataDir, 'silver'), `${kind} ${n}`).toEqual(silver);
    expect(await report(simulation)).toMatchObject({ totals: before.totals, discrepancies: [] });
  }
});

test('prune neither fails on a response that the reader rejects nor removes it or one that it superseded', async () => {
  const reader = upgradableReader();
  const simulation = await stored('prune stricter', reader);
  const { clock, pipeline } = simulation;
  const idsOf = async (symbol: string) =>
    (await responses(simulation))
      .filter(({ rejected, series }) => series.symbol === symbol && rejected !== 'SCHEMA_MISMATCH')
      .map(({ id }) => id);
  const before = await idsOf('BTC/USDT');
  reader.upgrade(rejecting('BTC/USDT', clock.nowMs()));
  expect(await pruned(simulation, 'remove')).toMatchObject({ superseded: 0, untouched: [] });
  expect(await idsOf('BTC/USDT')).toEqual(before);

  expect(await clock.runUntil(repair(pipeline, control))).toMatchObject({ lost: before.length });
  expect(await pruned(simulation, 'remove', 0)).toMatchObject({ superseded: 0, untouched: [] });
  expect(await idsOf('BTC/USDT')).toEqual(before);

  reader.upgrade(() => undefined);
  expect(await clock.runUntil(repair(pipeline, control))).toMatchObject({ restored: before.length });
  expect(await pruned(simulation, 'remove')).toMatchObject({ superseded: 1 });
  expect(await report(simulation)).toMatchObject({ totals: { quarantined: 1, pending: 0 }, discrepancies: [] });
});

test('a run that does not fit on the disk sends no request and states the space it needs', async () => {
  const { pipeline, clock, venue } = await simulate({ seed: 'budget', symbols: ['BTC/USDT'], interval: '1h' });
  const fetchWith = (freeBytes: number) => {
    const files = { ...pipeline.ports.files, freeBytes: () => freeBytes };
    const work = {
      days: DAYS,
      markets: pipeline.settings.markets,
      intervals: ['1h'],
      selection: 'missing',
      waitPolicy: 'none',
      assets: ['bronze', 'silver'],
      trigger: 'manual',
      tags: {},
    } as const;
    return clock.runUntil(materialise({ ...pipeline, ports: { ...pipeline.ports, files } }, work, control));
  };
  expect(await fetchWith(4_000_000)).toMatchObject({
    ending: 'usage',
    error: { code: 'STORAGE_FAILED', facts: { errno: 'ENOSPC' } },
    runs: [{ outcome: 'failed' }],
  });
  expect(venue.log).toEqual([]);
  expect(await fetchWith(5_000_000)).toMatchObject({ ending: 'done', pending: 0 });
  expect(await fetchWith(0), 'nothing to fetch').toMatchObject({ ending: 'done' });
});
