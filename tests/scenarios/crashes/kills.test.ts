import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/platform/seeded-random.ts';
import { mergeRanges, subtractRanges } from '../../../src/domain/range.ts';
import { everyPage } from '../../../src/lake/bronze/page-index.ts';
import { materialise } from '../../../src/engine/runs/materialise.ts';
import {
  startLifetime,
  expectSameOutcome,
  filesOfLifetime,
  runLifetime,
  settle,
  undisturbed,
} from '../../support/virtual/lifetime.ts';
import { killable, survives } from '../../support/virtual/killable.ts';
import { onPorts, simulate, type Simulation } from '../../support/simulated.ts';

const DAYS = { start: '2024-06-01', end: '2024-06-03' };
const CALLS_MAX = 2_000;
const control = { signal: new AbortController().signal, onProgress: () => undefined };
const begin = (
  seed: string,
  again: { readonly dataDir?: string; readonly startMs?: number } = {},
): Promise<Simulation> => simulate({ seed, symbols: ['BTC/USDT', 'ETH/USDT'], interval: '1h', ...again });

test('a run killed at any port call is resumed by the next process: same bytes, no stored page fetched again', {
  timeout: 120_000,
}, async () => {
  const whole = await begin('whole');
  await whole.run({ days: DAYS, assets: ['bronze', 'silver', 'gold'] });
  const wanted = filesOfLifetime(whole);
  let n = 0;
  for (let isKilled = true; isKilled; ) {
    n += 1;
    expect(n).toBeLessThan(CALLS_MAX);
    const first = await begin(`killed at ${n}`);
    const dying = killable(first, { n, when: 'before' });
    const work = {
      days: DAYS,
      markets: first.pipeline.settings.markets,
      intervals: ['1h'],
      selection: 'missing',
      waitPolicy: 'none',
      assets: ['bronze', 'silver', 'gold'],
      trigger: 'manual',
      tags: {},
    } as const;
    isKilled = !(await survives(first, materialise(onPorts(first.pipeline, dying.ports), work, control)));
    const next = await begin('next', { dataDir: first.dataDir, startMs: first.clock.nowMs() });
    expect(await next.run({ days: DAYS, assets: ['bronze', 'silver', 'gold'] }), `${n}`).toMatchObject({
      ending: 'done',
      pending: 0,
    });
    expect(filesOfLifetime(next), `${n}`).toEqual(wanted);
    expectTrueManifest(next, `${n}`);
    const pages = await next.pipeline.ports.store.read(everyPage);
    for (const own of Map.groupBy(pages, ({ series }) => series.symbol).values()) {
      const total = own.reduce((sum, { range }) => sum + range.toMs - range.fromMs, 0);
      expect(total, `${n}: pages on disk are not requested again`).toBe(
        mergeRanges(own.map(({ range }) => range)).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
      );
      expect(
        subtractRanges(
          [{ fromMs: Date.UTC(2024, 5, 1), toMs: Date.UTC(2024, 5, 4) }],
          own.map(({ range }) => range),
        ),
      ).toEqual([]);
    }
  }
  expect(n).toBeGreaterThan(50);
});

/** `manifest.json` names the files beside it, even after a kill before it was written. */
function expectTrueManifest({ dataDir }: Simulation, label: string): void {
  const { files } = JSON.parse(
    readFileSync(join(dataDir, 'silver/exchange=binance/interval=1h/manifest.json'), 'utf8'),
  ) as { readonly files: readonly { readonly path: string; readonly sha256: string }[] };
  const named = files.map(({ path, sha256 }) => `/${path} ${sha256}`);
  expect(named, label).toEqual(
    filesOfLifetime({ dataDir }).filter((file) => file.startsWith('/silver') && !file.endsWith('manifest.json')),
  );
}

/** Kills of a whole lifetime. CANDLEKEEP_KILLS raises them, up to one at every call. */
const KILLS = Number(process.env['CANDLEKEEP_KILLS'] ?? 40);

test(`a lifetime that classifies, publishes, re-reads and heals ends the same after ${KILLS} kills at port calls`, {
  timeout: 600_000,
}, async () => {
  const seed = process.env['CANDLEKEEP_SEED'] ?? 'kills';
  const random = seededRandom(seed);
  const wanted = await undisturbed();
  const counted = await startLifetime('counted');
  const counting = killable(counted, { n: Infinity, when: 'before' });
  await runLifetime(counted, counting.ports, (step) => counted.clock.runUntil(step));
  let killed = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const n = 1 + Math.floor(((kill + random.next()) / KILLS) * counting.calls());
    const when = random.next() < 0.5 ? 'before' : 'after';
    const first = await startLifetime(`life ${n}`);
    const dying = killable(first, { n, when });
    let isAlive = true;
    await runLifetime(first, dying.ports, async (step) => {
      isAlive = isAlive && (await survives(first, step));
    });
    const next = await startLifetime('next', { dataDir: first.dataDir, startMs: first.clock.nowMs() });
    await settle(next);
    killed += isAlive ? 0 : 1;
    await expectSameOutcome(next, wanted, `seed ${seed}, call ${n} (${when})`);
  }
  expect(killed).toBeGreaterThan(KILLS * 0.9); // the number of calls varies: the last kills may come after the end
});
