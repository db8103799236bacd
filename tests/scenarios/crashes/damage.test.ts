import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { faultsOfRun } from '../../../src/state/fault-log.ts';
import type { GapReport } from '../../../src/engine/queries/gap-report.ts';
import { rejecting, upgradableReader } from '../../support/upgraded-reader.ts';
import {
  simulate,
  BINANCE_RECORDINGS,
  verifiedAccount,
  type Simulation,
  type SimulationOptions,
} from '../../support/simulated.ts';

const MONTH = { start: '2024-06-01', end: '2024-06-30' };
const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'];

const filesIn = (directory: string, isWanted: (name: string) => boolean): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(isWanted)
    .map((name) => join(directory, name));

async function stored(seed: string, options: Pick<SimulationOptions, 'adapters'> = {}) {
  const simulation = await simulate({ seed, symbols: SYMBOLS, interval: '1h', ...options });
  expect(await simulation.run({ days: MONTH, assets: ['bronze', 'silver', 'gold'] })).toMatchObject({
    ending: 'done',
    pending: 0,
  });
  const [segment = '', ...otherSegments] = filesIn(simulation.dataDir, (name) => name.endsWith('.zst'));
  const [silver = ''] = filesIn(join(simulation.dataDir, 'silver'), (name) => name.endsWith('.parquet'));
  expect(otherSegments).toEqual([]);
  return { simulation, segment, silver };
}

const report = (simulation: Simulation): Promise<GapReport> => verifiedAccount(simulation, MONTH);

async function expectWhole(simulation: Simulation): Promise<void> {
  for (const recorded of BINANCE_RECORDINGS.series.filter(
    (series) => series.interval === '1h' && SYMBOLS.includes(series.symbol),
  )) {
    expect(await simulation.compare('binance', recorded, MONTH)).toEqual({
      recorded: 720,
      lost: 0,
      doubled: 0,
      invented: 0,
      wrong: 0,
    });
  }
  expect(await report(simulation)).toMatchObject({
    gaps: [],
    discrepancies: [],
    totals: { expected: 2_160, present: 2_160 },
  });
}

const DAMAGES: readonly (readonly [name: string, lostSymbols: number, damage: (segment: string) => void])[] = [
  ['removed', 3, (segment) => rmSync(segment)],
  ['cut after its first answer', 2, (segment) => truncateSync(segment, 60_000)],
  [
    'damaged in one byte',
    1,
    (segment) => {
      const bytes = readFileSync(segment);
      bytes[Math.floor(bytes.length / 2)]! ^= 1;
      writeFileSync(segment, bytes);
    },
  ],
];

test.each(DAMAGES)(
  'after a segment is %s, every candle it held is pending with its code, also outside the run, and healing restores it',
  async (_name, lostSymbols, damage) => {
    const { simulation, segment } = await stored('damage');
    damage(segment);
    const result = await simulation.run({
      days: { start: '2024-06-10', end: '2024-06-10' },
      markets: new Map([['binance', ['BTC/USDT']]]),
      selection: 'all',
    });
    expect(result).toMatchObject({ ending: 'partial', error: null, runs: [{ outcome: 'partial' }] });
    const found = await report(simulation);
    expect(found.discrepancies).toEqual([]);
    expect(new Set(found.gaps.map(({ state, code }) => `${state} ${code}`))).toEqual(
      new Set(['pending ANSWER_DAMAGED']),
    );
    // The run itself fetched one day of BTC/USDT again.
    const again = found.gaps.some(({ symbol }) => symbol === 'BTC/USDT') || lostSymbols === 3 ? 24 : 0;
    expect(found.totals).toMatchObject({ expected: 2_160, pending: lostSymbols * 720 - again });
    expect(found.gaps.every(({ nextAttemptAtMs }) => nextAttemptAtMs !== null)).toBe(true);
    const faults = await simulation.pipeline.ports.store.read(faultsOfRun, result.runs[0]?.id ?? '', 100);
    expect(faults.filter(({ record }) => record.code === 'ANSWER_DAMAGED')).toHaveLength(lostSymbols);

    await simulation.clock.runUntil(simulation.clock.sleep(300_000));
    expect(await simulation.heal('all')).toMatchObject({ ending: 'done', pending: 0 });
    await expectWhole(simulation);
  },
);

test('a response that a stricter reader rejects costs its own candles only, and healing brings them back', async () => {
  const reader = upgradableReader();
  const { simulation, segment } = await stored('stricter', reader);
  const bytes = readFileSync(segment);
  reader.upgrade(rejecting('ETH/USDT', simulation.clock.nowMs() + 1));
  const result = await simulation.run({
    days: { start: '2024-06-10', end: '2024-06-10' },
    markets: new Map([['binance', ['BTC/USDT']]]),
    selection: 'all',
    assets: ['bronze', 'silver', 'gold'],
  });
  expect(result).toMatchObject({ ending: 'partial', error: null, runs: [{ outcome: 'partial' }] });
  const found = await report(simulation);
  expect(found).toMatchObject({ discrepancies: [], totals: { expected: 2_160, present: 1_440, pending: 720 } });
  expect(found.gaps).toMatchObject([{ symbol: 'ETH/USDT', state: 'pending', code: 'ANSWER_DAMAGED' }]);
  const faults = await simulation.pipeline.ports.store.read(faultsOfRun, result.runs[0]?.id ?? '', 100);
  expect(faults).toMatchObject([
    { symbol: 'ETH/USDT', record: { code: 'ANSWER_DAMAGED', facts: { loss: 'unreadable' } } },
  ]);
  expect(JSON.stringify(faults[0]?.record)).toContain('lacks the field');
  expect(readFileSync(segment).subarray(0, bytes.length).equals(bytes)).toBe(true);

  await simulation.clock.runUntil(simulation.clock.sleep(300_000));
  expect(await simulation.heal('all')).toMatchObject({ ending: 'done', pending: 0 });
  await expectWhole(simulation);
});

test('a reader that fails in any other way is a defect, and no response is taken out of use for it', async () => {
  const reader = upgradableReader();
  const { simulation, silver } = await stored('defect', reader);
  const before = readFileSync(silver);
  reader.upgrade(({ series }) => {
    if (series.symbol === 'ETH/USDT') throw new TypeError('undefined is not iterable');
  });
  expect(
    await simulation.run({
      days: { start: '2024-06-10', end: '2024-06-10' },
      markets: new Map([['binance', ['BTC/USDT']]]),
      selection: 'all',
    }),
  ).toMatchObject({ ending: 'defect' });
  reader.upgrade(() => undefined);
  expect(readFileSync(silver).equals(before)).toBe(true);
  await expectWhole(simulation);
});

test('the next run of a period rebuilds a silver file that was changed on disk', async () => {
  const { simulation, silver } = await stored('changed');
  const before = readFileSync(silver);
  writeFileSync(silver, before.subarray(0, 1_000));
  expect((await report(simulation)).discrepancies).not.toEqual([]);
  await simulation.run({ days: { start: '2024-06-10', end: '2024-06-10' }, selection: 'all' });
  expect(readFileSync(silver).equals(before)).toBe(true);
  await expectWhole(simulation);
});

test('the next run of a period removes leftovers of a crash, even if it writes nothing else, in gold too', async () => {
  const { simulation, silver } = await stored('leftovers');
  const quarantine = dirname(silver).replace('silver', 'quarantine');
  for (const path of [
    join(dirname(silver), '.tmp-part-0.parquet'),
    join(dirname(dirname(silver)), '.tmp-manifest.json'),
    ...['.tmp-README.md', '_meta/.tmp-manifest.json', 'data/interval=1h/exchange=binance/.tmp-2024-06.parquet'].map(
      (name) => join(simulation.dataDir, 'gold', name),
    ),
  ])
    writeFileSync(path, 'torn');
  simulation.pipeline.ports.files.write(join(quarantine, '.tmp-part-0.parquet'), Buffer.from('torn'));
  await simulation.run({
    days: { start: '2024-06-10', end: '2024-06-10' },
    selection: 'all',
    assets: ['bronze', 'silver', 'gold'],
  });
  expect(filesIn(simulation.dataDir, (name) => name.includes('.tmp-'))).toEqual([]);
  await expectWhole(simulation);
});

test('a period without rows has no file', async () => {
  const { simulation, segment, silver } = await stored('none');
  rmSync(segment);
  simulation.venue.plan({
    seed: 'down',
    rules: [{ match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'status', status: 500 } }],
  });
  await simulation.run({ days: { start: '2024-06-10', end: '2024-06-10' }, selection: 'all' });
  expect(filesIn(simulation.dataDir, (name) => name.endsWith('part-0.parquet'))).toEqual([]);
  expect((await report(simulation)).discrepancies).toEqual([]);
  simulation.venue.plan({ seed: 'up', rules: [] });
  expect(await simulation.heal('none')).toMatchObject({ ending: 'done', pending: 0 });
  expect(readFileSync(silver).length).toBeGreaterThan(0);
  await expectWhole(simulation);
});

test('bronze counts a candle that stays invalid once, however often it was requested', async () => {
  const simulation = await simulate({
    seed: 'five',
    symbols: ['ETH/USDT'],
    interval: '1h',
    plan: {
      seed: 'five',
      rules: [
        {
          match: { path: '/api/v3/klines' },
          on: { every: 1 },
          fault: { kind: 'invalid-rows', rule: 'ohlc-order', rows: 5 },
        },
      ],
    },
  });
  const { runs } = await simulation.run({ days: MONTH });
  expect(runs[0]?.assets.map(({ asset, removed_rows }) => [asset, removed_rows])).toEqual([
    ['bronze_binance_ohlcv', 5],
    ['silver_ohlcv_normalized', 5],
  ]);
});
