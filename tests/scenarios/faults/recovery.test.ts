import { expect, test } from 'vitest';
import { listRuns, type Run } from '../../../src/state/runs.ts';
import { retryRun } from '../../../src/engine/runs/heal.ts';
import type { FaultPlan } from '../../../src/simulation/fault-plan.ts';
import { generatedWorld } from '../../../src/simulation/generated-world.ts';
import { dayRange } from '../../../src/domain/partition.ts';
import { simulate, type Simulation } from '../../support/simulated.ts';

const DAY = { start: '2026-05-30', end: '2026-05-30' };
const TICK_MS = 60_000;
const HOUR_MS = 3_600_000;
const FORTY = Array.from({ length: 40 }, (_, at) => `C${String(at).padStart(2, '0')}/USDT`);

const world = generatedWorld(
  'forty',
  FORTY.map((symbol) => ({ symbol, venueSymbol: symbol.replace('/', ''), interval: '1h', range: dayRange(DAY.start) })),
);

/** Every page of the first `failing` symbols is a 500 for an hour from `startMs` on. */
const hourOfFaults = (failing: number, startMs: number): FaultPlan => ({
  seed: 'hour',
  rules: FORTY.slice(0, failing).map((symbol) => ({
    match: { path: '/api/v3/klines', symbol: symbol.replace('/', '') },
    on: { fromMs: startMs, toMs: startMs + HOUR_MS },
    fault: { kind: 'status', status: 500 },
  })),
});

async function ticksUntilComplete(
  simulation: Simulation,
  startMs: number,
): Promise<{ readonly runs: readonly Run[]; readonly ticksAfter: number }> {
  const { clock, pipeline } = simulation;
  let ticksAfter = 0;
  for (let tick = 0; tick < 80; tick++) {
    await clock.runUntil(clock.sleep(TICK_MS));
    if (clock.nowMs() >= startMs + HOUR_MS) ticksAfter += 1;
    if ((await simulation.heal('all')).pending === 0) break;
  }
  return { runs: (await pipeline.ports.store.read(listRuns, 200)).toReversed(), ticksAfter };
}

test('three of forty symbols fail for an hour: the rest is stored at once, they heal within three ticks', async () => {
  const simulation = await simulate({ seed: 'three', symbols: FORTY, interval: '1h', world });
  const startMs = simulation.clock.nowMs();
  simulation.venue.plan(hourOfFaults(3, startMs));
  expect(await simulation.run({ days: DAY })).toMatchObject({ ending: 'partial', pending: 3 * 24 });
  const { runs, ticksAfter } = await ticksUntilComplete(simulation, startMs);
  expect(ticksAfter).toBeLessThanOrEqual(3);
  expect(runs.at(-1)).toMatchObject({ outcome: 'complete', trigger: 'heal' });
});

test('twenty-one of forty fail for an hour: the asset fails, retries name their run, all cells heal', async () => {
  const simulation = await simulate({ seed: 'twenty-one', symbols: FORTY, interval: '1h', world });
  const startMs = simulation.clock.nowMs();
  simulation.venue.plan(hourOfFaults(21, startMs));
  const first = await simulation.run({ days: DAY });
  expect(first).toMatchObject({ ending: 'assetFailed', pending: 21 * 24 });
  expect(first.runs[0]?.assets[0]).toMatchObject({ outcome: 'failed', symbols_ok: 19 });
  const { runs, ticksAfter } = await ticksUntilComplete(simulation, startMs);
  const chain = runs.filter((run) => run.trigger === 'retry').map((run) => run.tags);
  expect(chain).toEqual([
    { retry_of: first.runs[0]?.id, retry_count: '1' },
    { retry_of: runs.find((run) => run.tags['retry_count'] === '1')?.id, retry_count: '2' },
    { retry_of: runs.find((run) => run.tags['retry_count'] === '2')?.id, retry_count: '3' },
  ]);
  expect(ticksAfter).toBeLessThanOrEqual(3);
  expect(runs.at(-1)).toMatchObject({ outcome: 'complete' });
});

test('a run whose cells have healed is not retried', async () => {
  const simulation = await simulate({ seed: 'healed', symbols: FORTY, interval: '1h', world });
  simulation.venue.plan(hourOfFaults(40, simulation.clock.nowMs()));
  expect(await simulation.run({ days: DAY })).toMatchObject({ ending: 'unreachable' });
  simulation.venue.plan({ seed: 'calm', rules: [] });
  expect(await simulation.run({ days: DAY })).toMatchObject({ ending: 'done' });
  await simulation.clock.runUntil(simulation.clock.sleep(HOUR_MS));
  expect(await simulation.heal('all')).toMatchObject({ runs: [], pending: 0, ending: 'done' });
});

test('a run that a person retried is not retried automatically, and can be retried by hand again', async () => {
  const simulation = await simulate({ seed: 'by hand', symbols: FORTY, interval: '1h', world });
  simulation.venue.plan(hourOfFaults(40, simulation.clock.nowMs()));
  const [first] = (await simulation.run({ days: DAY })).runs;
  if (first === undefined) throw new Error('no run');
  simulation.venue.plan({ seed: 'calm', rules: [] });
  const { pipeline, clock } = simulation;
  const retry = () =>
    clock.runUntil(retryRun(pipeline, first, { signal: new AbortController().signal, onProgress: () => undefined }));
  expect(await retry()).toMatchObject({
    ending: 'done',
    pending: 0,
    runs: [{ trigger: 'retry', tags: { retry_of: first.id, retry_count: '1' } }],
  });
  expect(await retry()).toMatchObject({ ending: 'done', runs: [{ trigger: 'retry' }] });
  await clock.runUntil(clock.sleep(2 * TICK_MS));
  expect(await simulation.heal('none')).toMatchObject({ runs: [] });
});
