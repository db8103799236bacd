import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { diskError } from '../../../src/platform/disk-error.ts';
import type { Files } from '../../../src/platform/ports/files.ts';
import type { Store } from '../../../src/platform/ports/store.ts';
import { dayRange } from '../../../src/domain/partition.ts';
import { CancelledError } from '../../../src/errors/classify.ts';
import { materialise } from '../../../src/engine/runs/materialise.ts';
import type { WorkRequest } from '../../../src/engine/core/work.ts';
import { generatedWorld } from '../../../src/simulation/generated-world.ts';
import { simulate } from '../../support/simulated.ts';

/** Calls `meanwhile` once, after the first operation that follows a commit of silver. */
function interrupted(store: Store, meanwhile: () => Promise<unknown>): Store {
  let state: 'before' | 'committed' | 'done' = 'before';
  const after = async <T>(name: string, result: Promise<T>): Promise<T> => {
    const value = await result;
    if (state === 'committed') {
      state = 'done';
      await meanwhile();
    }
    if (state === 'before' && name === 'commitSilver') state = 'committed';
    return value;
  };
  return {
    ...store,
    transact: (operation, ...args) => after(operation.name, store.transact(operation, ...args)),
    read: (operation, ...args) => after(operation.name, store.read(operation, ...args)),
  };
}

/** A run over three files, stopped after the second. `manifest` replaces the rename that publishes manifest.json. */
async function stoppedRun(seed: string, manifest: (move: () => void) => void) {
  const days = { start: '2024-06-01', end: '2024-06-03' };
  const world = generatedWorld('once', [
    {
      symbol: 'AAA/USDT',
      venueSymbol: 'AAAUSDT',
      interval: '1m',
      range: { fromMs: dayRange(days.start).fromMs, toMs: dayRange(days.end).toMs },
    },
  ]);
  const { pipeline, clock } = await simulate({ seed, symbols: ['AAA/USDT'], interval: '1m', world });
  const stop = new AbortController();
  const written: string[] = [];
  const files: Files = {
    ...pipeline.ports.files,
    rename: (from, to) => {
      const move = (): void => pipeline.ports.files.rename(from, to);
      if (basename(to) === 'manifest.json') manifest(move);
      else move();
      written.push(basename(to));
      if (written.length === 2) stop.abort(new CancelledError('SIGINT'));
    },
  };
  const work: WorkRequest = {
    days,
    markets: pipeline.settings.markets,
    intervals: ['1m'],
    selection: 'missing',
    waitPolicy: 'holes',
    assets: ['bronze', 'silver'],
    trigger: 'manual',
    tags: {},
  };
  const result = await clock.runUntil(
    materialise({ ...pipeline, ports: { ...pipeline.ports, files } }, work, {
      signal: stop.signal,
      onProgress: () => undefined,
    }),
  );
  return { written, result };
}

test('manifest.json is written once per run for any number of files, also by a stopped run', async () => {
  const { written } = await stoppedRun('once', (move) => move());
  expect(written).toEqual(['part-0.parquet', 'part-0.parquet', 'manifest.json']);
});

test('a stopped run reports why it was stopped, even if its manifest.json cannot be written', async () => {
  const { written, result } = await stoppedRun('full', () => {
    throw diskError('ENOSPC', 'rename', '/data');
  });
  expect(written).toEqual(['part-0.parquet', 'part-0.parquet']);
  expect(result).toMatchObject({ ending: 'interrupted', error: null });
  expect(result.runs.map(({ outcome }) => outcome)).toEqual(['cancelled']);
});

test('manifest.json names every file when the runs that write it overlap', async () => {
  const { pipeline, clock, dataDir } = await simulate({ seed: 'manifest', symbols: ['BTC/USDT'], interval: '15m' });
  const control = { signal: new AbortController().signal, onProgress: () => undefined };
  const work = (days: WorkRequest['days']): WorkRequest => ({
    days,
    markets: pipeline.settings.markets,
    intervals: ['15m'],
    selection: 'missing',
    waitPolicy: 'holes',
    assets: ['bronze', 'silver'],
    trigger: 'manual',
    tags: {},
  });
  const store = interrupted(pipeline.ports.store, () =>
    materialise(pipeline, work({ start: '2025-01-01', end: '2025-01-05' }), control),
  );
  await clock.runUntil(
    materialise(
      { ...pipeline, ports: { ...pipeline.ports, store } },
      work({ start: '2024-12-30', end: '2024-12-31' }),
      control,
    ),
  );
  const manifest = JSON.parse(
    readFileSync(join(dataDir, 'silver/exchange=binance/interval=15m/manifest.json'), 'utf8'),
  ) as { files: { period: string }[] };
  expect(manifest.files.map(({ period }) => period)).toEqual(['2024-12', '2025-01']);
});
