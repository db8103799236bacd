import { expect, test } from 'vitest';
import { DAY_MS } from '../../../src/domain/interval.ts';
import { dayRange } from '../../../src/domain/partition.ts';
import { silverRows } from '../../../src/lake/candle-columns.ts';
import { readCandles } from '../../../src/engine/queries/candle-reader.ts';
import { simulate, verifiedAccount, type Simulation } from '../../support/simulated.ts';

const HOUR_MS = 3_600_000;
const TODAY = '2024-06-15';
const DAYS = { start: '2024-06-13', end: TODAY };
const TODAY_MS = dayRange(TODAY).fromMs;
const ALL = ['bronze', 'silver', 'gold'] as const;

const atHalfPastTen = (seed: string) =>
  simulate({ seed, symbols: ['BTC/USDT', 'ETH/USDT'], interval: '1h', startMs: TODAY_MS + 10.5 * HOUR_MS });

async function storedToday({ clock, pipeline }: Simulation): Promise<number[]> {
  const rows = await clock.runUntil(
    readCandles(pipeline, {
      series: { exchange: 'binance', symbol: 'BTC/USDT', interval: '1h' },
      range: dayRange(TODAY),
    }),
  );
  return rows.map((row) => (row.openTimeMs - TODAY_MS) / HOUR_MS);
}

async function goldRows({ clock, pipeline }: Simulation): Promise<number[]> {
  const bytes = pipeline.ports.files.read(`${pipeline.lake.gold}/data/interval=1h/exchange=binance/2024-06.parquet`);
  return silverRows(await clock.runUntil(pipeline.ports.parquet.decode(bytes))).map((row) => row.openTimeMs);
}

const account = (simulation: Simulation, day: string) => verifiedAccount(simulation, { start: day, end: day });

test('closed candles of the open day are in silver, not in gold or the account; the open one is not', async () => {
  const simulation = await atHalfPastTen('open day');
  const result = await simulation.run({ days: DAYS, assets: ALL });
  expect(result).toMatchObject({ ending: 'done', pending: 0 });
  expect(result.runs[0]?.assets.map(({ asset, output_rows }) => [asset, output_rows])).toEqual([
    ['bronze_binance_ohlcv', 116],
    ['silver_ohlcv_normalized', 116],
    ['gold_huggingface_ohlcv', 96],
  ]);
  expect(await storedToday(simulation)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(Math.max(...(await goldRows(simulation)))).toBe(TODAY_MS - HOUR_MS);
  expect(await account(simulation, TODAY)).toMatchObject({ totals: { expected: 0 }, gaps: [], discrepancies: [] });
});

test('an hour later the next candle and the settled one before it are requested; gold is unchanged', async () => {
  const simulation = await atHalfPastTen('next hour');
  const files = simulation.pipeline.ports.files;
  const gold = (path: string) => Buffer.from(files.read(`${simulation.pipeline.lake.gold}/${path}`)).toString('base64');
  await simulation.run({ days: DAYS, assets: ALL });
  const before = ['data/interval=1h/exchange=binance/2024-06.parquet', '_meta/manifest.json', 'README.md'].map(gold);
  const requestsBefore = simulation.venue.log.length;
  await simulation.run({ days: DAYS, assets: ALL });
  expect(simulation.venue.log.length).toBe(requestsBefore);
  await simulation.clock.runUntil(simulation.clock.sleep(HOUR_MS));
  await simulation.run({ days: DAYS, assets: ALL });
  expect(
    simulation.venue.log.slice(requestsBefore).map(({ query }) => new URLSearchParams(query).get('startTime')),
  ).toEqual(Array(2).fill(String(TODAY_MS + 9 * HOUR_MS)));
  expect((await storedToday(simulation)).at(-1)).toBe(10);
  expect(['data/interval=1h/exchange=binance/2024-06.parquet', '_meta/manifest.json', 'README.md'].map(gold)).toEqual(
    before,
  );
});

test('once the day is due it enters the account, only the rest is requested, and gold equals silver', async () => {
  const simulation = await atHalfPastTen('due');
  await simulation.run({ days: DAYS });
  const requestsBefore = simulation.venue.log.length;
  await simulation.clock.runUntil(simulation.clock.sleep(DAY_MS - 10.5 * HOUR_MS + 5_000));
  expect(await simulation.run({ days: DAYS, assets: ALL })).toMatchObject({ ending: 'done', pending: 0 });
  expect(
    simulation.venue.log.slice(requestsBefore).map(({ query }) => new URLSearchParams(query).get('startTime')),
  ).toEqual(Array(2).fill(String(TODAY_MS + 9 * HOUR_MS)));
  expect(await account(simulation, TODAY)).toMatchObject({
    totals: { expected: 48, present: 48 },
    gaps: [],
    discrepancies: [],
  });
  const { files } = simulation.pipeline.ports;
  const [gold, silver] = [
    'gold/data/interval=1h/exchange=binance/2024-06.parquet',
    'silver/exchange=binance/interval=1h/period=2024-06/part-0.parquet',
  ].map((path) => Buffer.from(files.read(simulation.pipeline.lake.at(path))));
  expect(gold?.equals(silver as Buffer)).toBe(true);
});

test('a candle delivered before its close is not stored', async () => {
  const simulation = await simulate({
    seed: 'unfinished',
    symbols: ['BTC/USDT'],
    interval: '1h',
    startMs: TODAY_MS + 10 * HOUR_MS + 4_999,
  });
  await simulation.run({ days: DAYS });
  expect((await storedToday(simulation)).at(-1)).toBe(8);
});

test('a hole in the open day is requested again after the recheck wait, without its neighbours', async () => {
  const simulation = await atHalfPastTen('hole today');
  const LEFT_OUT = { fromMs: TODAY_MS + 4 * HOUR_MS, toMs: TODAY_MS + 10 * HOUR_MS };
  simulation.venue.plan({
    seed: 'hole today',
    rules: [{ match: { symbol: 'BTCUSDT' }, on: { every: 1 }, fault: { kind: 'missing-rows', ...LEFT_OUT } }],
  });
  await simulation.run({ days: { start: TODAY, end: TODAY } });
  expect(await storedToday(simulation)).toEqual([0, 1, 2, 3]);
  simulation.venue.plan({ seed: 'whole', rules: [] });
  const requestsBefore = simulation.venue.log.length;
  const again = (): (readonly (string | null)[])[] =>
    simulation.venue.log
      .slice(requestsBefore)
      .map(({ query }) => new URLSearchParams(query))
      .map((query) => [query.get('symbol'), query.get('startTime')]);
  await simulation.run({ days: { start: TODAY, end: TODAY } });
  expect(again()).toEqual([]);
  await simulation.clock.runUntil(simulation.clock.sleep(simulation.pipeline.settings.recheckAfterMs));
  await simulation.run({ days: { start: TODAY, end: TODAY } });
  expect(again()).toContainEqual(['BTCUSDT', String(LEFT_OUT.fromMs)]);
  expect(again().filter(([, startTime]) => Number(startTime) < LEFT_OUT.fromMs)).toEqual([]);
  expect(await storedToday(simulation)).toEqual(Array.from({ length: 16 }, (_, hour) => hour));
});
