import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { dayRange } from '../../../src/domain/partition.ts';
import { openPipeline } from '../../../src/api/open-pipeline.ts';
import { repair } from '../../../src/engine/maintenance/repair.ts';
import { packResponse } from '../../../src/lake/bronze/responses.ts';
import { scanSegment } from '../../../src/lake/bronze/stored-responses.ts';
import { silentLog } from '../../../src/platform/ports/log.ts';
import { redactNothing } from '../../../src/platform/ports/redact.ts';
import { candlekeep, documentIn } from '../../support/command-line/command-line.ts';
import { rejecting, upgradableReader } from '../../support/upgraded-reader.ts';
import { simulate, verifiedAccount, type Simulation, type SimulationOptions } from '../../support/simulated.ts';

const MONTH = { start: '2024-06-01', end: '2024-06-30' };
const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'];
const control = { signal: new AbortController().signal, onProgress: () => undefined };

const lakeFiles = (directory: string): Map<string, string> =>
  new Map(
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => /^(?:silver|quarantine|bronze)\/.*\.(?:parquet|zst)$/.test(name))
      .toSorted()
      .map((name) => [name, readFileSync(join(directory, name)).toString('base64')]),
  );

const account = (simulation: Pick<Simulation, 'clock' | 'pipeline'>) => verifiedAccount(simulation, MONTH);

/** A month with a quarantined row and a candle that the venue does not have. */
const stored = async (seed: string, options: Pick<SimulationOptions, 'adapters'> = {}): Promise<Simulation> => {
  const simulation = await simulate({
    seed,
    symbols: SYMBOLS,
    interval: '1h',
    ...options,
    plan: {
      seed,
      rules: [
        {
          match: { path: '/api/v3/klines', symbol: 'ETHUSDT' },
          on: { every: 1 },
          fault: { kind: 'invalid-rows', rule: 'ohlc-order', rows: 1 },
        },
        {
          match: { path: '/api/v3/klines', symbol: 'SOLUSDT' },
          on: { every: 1 },
          fault: {
            kind: 'missing-rows',
            fromMs: dayRange('2024-06-20').fromMs,
            toMs: dayRange('2024-06-20').fromMs + 3_600_000,
          },
        },
      ],
    },
  });
  await simulation.run({ days: MONTH });
  return simulation;
};

/** Opens the directory as a new process does after the state was lost. */
async function reopened(
  simulation: Simulation,
  lostState: 'refused' | 'rebuilt',
  options: Pick<SimulationOptions, 'adapters'> = {},
) {
  const { settings, ports } = simulation.pipeline;
  return openPipeline(settings, {
    log: silentLog,
    world: { clock: ports.clock, random: ports.random.fork('again'), http: ports.http },
    lostState,
    ...options,
  });
}

function loseState(simulation: Simulation): void {
  for (const name of ['state.db', 'state.db-wal', 'state.db-shm'])
    rmSync(join(simulation.dataDir, name), { force: true });
}

test('a data directory without a state, or with an empty one, is refused and left untouched', async () => {
  const simulation = await stored('refused');
  const before = lakeFiles(simulation.dataDir);
  loseState(simulation);
  for (const prepare of [() => undefined, () => writeFileSync(join(simulation.dataDir, 'state.db'), '')]) {
    prepare();
    for (const args of [
      ['run', '--date', '2024-06-10'],
      ['heal'],
      ['status'],
      ['backfill', '--start', MONTH.start, '--end', MONTH.end, '--force'],
    ]) {
      const { exit, out } = await candlekeep([...args, '--json', '--data-dir', simulation.dataDir]);
      expect({ exit, ...documentIn(out) }).toMatchObject({
        exit: 2,
        error: { code: 'STATE_UNUSABLE', message: expect.stringContaining('candlekeep repair') as string },
      });
    }
  }
  rmSync(join(simulation.dataDir, 'state.db'));
  await (await reopened(simulation, 'rebuilt')).close();
  await expect(reopened(simulation, 'refused')).rejects.toMatchObject({
    code: 'STATE_UNUSABLE',
    facts: { reason: 'lost' },
  });
  expect(lakeFiles(simulation.dataDir)).toEqual(before);
});

test('after the loss of the state, repair restores rows, bytes and account without a request', async () => {
  const simulation = await stored('lost');
  const [files, before] = [lakeFiles(simulation.dataDir), await account(simulation)];
  expect(before.totals).toMatchObject({ expected: 2_160, quarantined: 1, pending: 1 });
  const requests = simulation.venue.log.length;
  loseState(simulation);
  const pipeline = await reopened(simulation, 'rebuilt');
  const found = await simulation.clock.runUntil(repair(pipeline, control));
  expect(found).toMatchObject({
    damaged: [],
    lost: 0,
    tornBytes: 0,
    unexplained: [],
    indexed: found.responses,
    work: { pending: 1 },
  });
  expect(lakeFiles(simulation.dataDir)).toEqual(files);
  const after = await account({ clock: simulation.clock, pipeline });
  expect(after).toMatchObject({ totals: before.totals, discrepancies: [] });
  expect(await simulation.clock.runUntil(repair(pipeline, control))).toMatchObject({ indexed: 0, restored: 0 });
  expect(simulation.venue.log.length).toBe(requests);
  await pipeline.close();
});

test('a torn tail is skipped, a damaged response is reported with its place, and the rest is restored', async () => {
  const simulation = await stored('torn');
  const [segment = ''] = [...lakeFiles(simulation.dataDir).keys()].filter((name) => name.endsWith('.zst'));
  const path = join(simulation.dataDir, segment);
  const bytes = readFileSync(path);
  const { responses } = scanSegment(bytes);
  const second = responses[1] as (typeof responses)[number];
  bytes[second.offset + Math.floor(second.length / 2)]! ^= 1;
  writeFileSync(path, bytes);
  truncateSync(path, bytes.length - 10);
  loseState(simulation);
  const pipeline = await reopened(simulation, 'rebuilt');
  const found = await simulation.clock.runUntil(repair(pipeline, control));
  expect(found).toMatchObject({
    responses: responses.length - 2,
    indexed: responses.length - 2,
    damaged: [{ segment, offset: second.offset }],
  });
  expect(found.tornBytes).toBe((responses.at(-1)?.length ?? 0) - 10);
  expect((await account({ clock: simulation.clock, pipeline })).discrepancies).toEqual([]);
  await pipeline.close();
});

test('the candles of a removed segment are pending after repair, and used again once it is put back', async () => {
  const simulation = await stored('back');
  const before = await account(simulation);
  const [segment = ''] = [...lakeFiles(simulation.dataDir).keys()].filter((name) => name.endsWith('.zst'));
  const path = join(simulation.dataDir, segment);
  copyFileSync(path, `${path}.copy`);
  rmSync(path);
  const { clock, pipeline } = simulation;
  expect(await clock.runUntil(repair(pipeline, control))).toMatchObject({ responses: 0, work: { pending: 2_160 } });
  expect((await account(simulation)).gaps.every(({ code }) => code === 'ANSWER_DAMAGED')).toBe(true);
  renameSync(`${path}.copy`, path);
  expect(await clock.runUntil(repair(pipeline, control))).toMatchObject({ lost: 0, indexed: 0, work: { pending: 1 } });
  expect(await account(simulation)).toMatchObject({ totals: before.totals, discrepancies: [] });
});

test('repair takes responses out of use that the reader rejects, and healing restores their candles', async () => {
  const reader = upgradableReader();
  const simulation = await stored('stricter', reader);
  const { clock, pipeline } = simulation;
  const [before, files] = [await account(simulation), lakeFiles(simulation.dataDir)];
  reader.upgrade(rejecting('SOL/USDT', clock.nowMs() + 1));
  expect(await clock.runUntil(repair(pipeline, control))).toMatchObject({
    damaged: [],
    lost: 2,
    work: { ending: 'partial', pending: 720 },
  });
  const after = await account(simulation);
  expect(after).toMatchObject({ discrepancies: [], totals: { present: 1_439, quarantined: 1, pending: 720 } });
  expect(new Set(after.gaps.map(({ symbol, code }) => `${symbol} ${code}`))).toEqual(
    new Set(['ETH/USDT ROWS_INVALID', 'SOL/USDT ANSWER_DAMAGED']),
  );
  for (const [name, bytes] of lakeFiles(simulation.dataDir))
    if (name.endsWith('.zst')) expect(bytes).toBe(files.get(name));
  expect(await clock.runUntil(repair(pipeline, control))).toMatchObject({ lost: 0, restored: 0 });

  await clock.runUntil(clock.sleep(pipeline.settings.recheckAfterMs));
  await simulation.heal('all');
  expect(await account(simulation)).toMatchObject({ totals: before.totals, discrepancies: [] });
});

test('a response rejected during a rebuild of the state is used again once the reader accepts it', async () => {
  const reader = upgradableReader();
  const simulation = await stored('stricter and lost', reader);
  const { clock } = simulation;
  const [before, files] = [await account(simulation), lakeFiles(simulation.dataDir)];
  loseState(simulation);
  const pipeline = await reopened(simulation, 'rebuilt', reader);
  reader.upgrade(rejecting('SOL/USDT', Infinity));
  const found = await clock.runUntil(repair(pipeline, control));
  expect(found).toMatchObject({ indexed: found.responses, lost: 2, work: { pending: 720 } });
  expect(await account({ clock, pipeline })).toMatchObject({ discrepancies: [], totals: { pending: 720 } });
  reader.upgrade(() => undefined);
  expect(await clock.runUntil(repair(pipeline, control))).toMatchObject({ lost: 0, restored: 2, work: { pending: 1 } });
  expect(await account({ clock, pipeline })).toMatchObject({ totals: before.totals, discrepancies: [] });
  expect(lakeFiles(simulation.dataDir)).toEqual(files);
  await pipeline.close();
});

test('a damaged byte anywhere in a segment costs no other response', () => {
  const segment = Array.from(
    { length: 6 },
    (_, at) =>
      packResponse(
        {
          id: `page_${at}`,
          runId: 'run',
          url: 'http://x',
          fetchedAtMs: at,
          rejected: null,
          page: { series: { exchange: 'binance', symbol: 'BTC/USDT', interval: '1h' }, range: { fromMs: 0, toMs: 1 } },
          response: {
            status: 200,
            headers: {},
            body: Buffer.from(Array.from({ length: 200 }, (_row, n) => (n * (at + 7)) % 251)),
          },
        },
        redactNothing,
      ).frame,
  );
  const ends = segment.map((_, at) => segment.slice(0, at + 1).reduce((sum, { length }) => sum + length, 0));
  fc.assert(
    fc.property(fc.nat((ends.at(-1) ?? 1) - 1), fc.integer({ min: 1, max: 255 }), (position, mask) => {
      const bytes = Buffer.concat(segment);
      bytes[position]! ^= mask;
      const hit = ends.findIndex((end) => position < end);
      const found = scanSegment(bytes).responses.map(({ stored: { id } }) => id);
      expect(found).toEqual(expect.arrayContaining(segment.map((_, at) => `page_${at}`).filter((_, at) => at !== hit)));
    }),
    { numRuns: 300 },
  );
});
