import { expect, test } from 'vitest';
import { releaseLeases, takeLeases } from '../../../src/state/leases.ts';
import { generatedWorld } from '../../../src/simulation/generated-world.ts';
import { simulate, type Simulation } from '../../support/simulated.ts';

const DAY = { start: '2024-06-10', end: '2024-06-10' };
const ALL = ['bronze', 'silver', 'gold'] as const;

/** Another process holds the lease of the gold folder. */
const leaseFolder = ({ pipeline: { ports }, clock }: Simulation) =>
  clock.runUntil(
    ports.store.transact(
      takeLeases,
      { names: ['gold'], owner: 'run_other gold', nowMs: clock.nowMs() },
      ports.processes,
    ),
  );

test('two processes do not write the dataset folder concurrently: the second waits for the first', async () => {
  const simulation = await simulate({ seed: 'gold', symbols: ['BTC/USDT'], interval: '1h' });
  const {
    pipeline: { ports, lake },
    clock,
  } = simulation;
  await leaseFolder(simulation);
  const temp = `${lake.gold}/.tmp-README.md`;
  ports.files.write(temp, Buffer.from('half of it'));
  const released = clock.sleep(3_000).then(() => {
    expect(ports.files.exists(temp)).toBe(true);
    return ports.store.transact(releaseLeases, 'run_other gold');
  });
  expect(await simulation.run({ days: DAY, assets: ALL })).toMatchObject({ ending: 'done' });
  await released;
  expect(ports.files.exists(`${lake.gold}/README.md`)).toBe(true);
});

test('a run leaves a folder that stays leased, names the owner and does the rest; the next run writes it', async () => {
  const simulation = await simulate({ seed: 'gold', symbols: ['BTC/USDT'], interval: '1h' });
  const {
    pipeline: { ports, lake },
    clock,
  } = simulation;
  await leaseFolder(simulation);
  const result = await simulation.run({ days: DAY, assets: ALL });
  expect(result).toMatchObject({
    ending: 'leased',
    error: { code: 'CELLS_LEASED', facts: { owner: 'run_other gold' } },
  });
  expect(result.runs[0]?.assets.map(({ outcome }) => outcome)).toEqual(['complete', 'complete', 'partial']);
  expect(ports.files.exists(`${lake.gold}/README.md`)).toBe(false);
  await clock.runUntil(ports.store.transact(releaseLeases, 'run_other gold'));
  expect(await simulation.run({ days: DAY, assets: ALL })).toMatchObject({ ending: 'done' });
  expect(ports.files.exists(`${lake.gold}/README.md`)).toBe(true);
});

test('the card counts missing candles from the first to the last day, also of days not requested', async () => {
  const world = generatedWorld('card', [
    {
      symbol: 'AAA/USDT',
      venueSymbol: 'AAAUSDT',
      interval: '1m',
      range: { fromMs: Date.UTC(2024, 5, 10), toMs: Date.UTC(2024, 5, 14) },
    },
  ]);
  const simulation = await simulate({ seed: 'card', symbols: ['AAA/USDT'], interval: '1m', world });
  for (const day of ['2024-06-10', '2024-06-13']) await simulation.run({ days: { start: day, end: day }, assets: ALL });
  const card = Buffer.from(simulation.pipeline.ports.files.read(`${simulation.pipeline.lake.gold}/README.md`)).toString(
    'utf8',
  );
  expect(card).toContain('| binance | AAA/USDT | 1m | 2024-06-10 | 2024-06-13 | 2880 | 2880 |\n');
});
