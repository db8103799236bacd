import { expect, test } from 'vitest';
import { DAY_MS } from '../../src/domain/interval.ts';
import { dayRange } from '../../src/domain/partition.ts';
import { silverRows } from '../../src/lake/candle-columns.ts';
import { readCandles } from '../../src/engine/queries/candle-reader.ts';
import { rehearse, verifiedAccount, type Rehearsal } from '../support/simulated.ts';

const HOUR_MS = 3_600_000;
const TODAY = '2024-06-15';
const DAYS = { start: '2024-06-13', end: TODAY };
const TODAY_MS = dayRange(TODAY).fromMs;
const ALL = ['bronze', 'silver', 'gold'] as const;

const atHalfPastTen = (seed: string) =>
  rehearse({ seed, symbols: ['BTC/USDT', 'ETH/USDT'], interval: '1h', startMs: TODAY_MS + 10.5 * HOUR_MS });

async function storedToday({ clock, pipeline }: Rehearsal): Promise<number[]> {
  const rows = await clock.runUntil(
    readCandles(pipeline, {
      series: { exchange: 'binance', symbol: 'BTC/USDT', interval: '1h' },
      range: dayRange(TODAY),
    }),
  );
  return rows.map((row) => (row.openTimeMs - TODAY_MS) / HOUR_MS);
}

async function goldRows({ clock, pipeline }: Rehearsal): Promise<number[]> {
  const bytes = pipeline.ports.files.read(`${pipeline.lake.gold}/data/interval=1h/exchange=binance/2024-06.parquet`);
  return silverRows(await clock.runUntil(pipeline.ports.parquet.decode(bytes))).map((row) => row.openTimeMs);
}

const account = (rehearsal: Rehearsal, day: string) => verifiedAccount(rehearsal, { start: day, end: day });

test('closed candles of the open day are in silver, not in gold and in no account; the unfinished one is nowhere', async () => {
  const rehearsal = await atHalfPastTen('open day');
  const result = await rehearsal.run({ days: DAYS, assets: ALL });
  expect(result).toMatchObject({ ending: 'done', pending: 0 });
  expect(result.runs[0]?.assets.map(({ asset, output_rows }) => [asset, output_rows])).toEqual([
    ['bronze_binance_ohlcv', 116],
    ['silver_ohlcv_normalized', 116],
    ['gold_huggingface_ohlcv', 96],
  ]);
  expect(await storedToday(rehearsal)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(Math.max(...(await goldRows(rehearsal)))).toBe(TODAY_MS - HOUR_MS);
  expect(await account(rehearsal, TODAY)).toMatchObject({ totals: { expected: 0 }, gaps: [], discrepancies: [] });
});

test('an hour later one more candle is asked for, with the one before it that has settled since, and gold stays byte for byte as it was', async () => {
  const rehearsal = await atHalfPastTen('next hour');
  const files = rehearsal.pipeline.ports.files;
  const gold = (path: string) => Buffer.from(files.read(`${rehearsal.pipeline.lake.gold}/${path}`)).toString('base64');
  await rehearsal.run({ days: DAYS, assets: ALL });
  const before = ['data/interval=1h/exchange=binance/2024-06.parquet', '_meta/manifest.json', 'README.md'].map(gold);
  const asked = rehearsal.venue.log.length;
  await rehearsal.run({ days: DAYS, assets: ALL });
  expect(rehearsal.venue.log.length).toBe(asked);
  await rehearsal.clock.runUntil(rehearsal.clock.sleep(HOUR_MS));
  await rehearsal.run({ days: DAYS, assets: ALL });
  expect(rehearsal.venue.log.slice(asked).map(({ query }) => new URLSearchParams(query).get('startTime'))).toEqual(
    Array(2).fill(String(TODAY_MS + 9 * HOUR_MS)),
  );
  expect((await storedToday(rehearsal)).at(-1)).toBe(10);
  expect(['data/interval=1h/exchange=binance/2024-06.parquet', '_meta/manifest.json', 'README.md'].map(gold)).toEqual(
    before,
  );
});

test('once the day is due its cells enter the account, only the rest is asked, and gold is silver again', async () => {
  const rehearsal = await atHalfPastTen('due');
  await rehearsal.run({ days: DAYS });
  const asked = rehearsal.venue.log.length;
  await rehearsal.clock.runUntil(rehearsal.clock.sleep(DAY_MS - 10.5 * HOUR_MS + 5_000));
  expect(await rehearsal.run({ days: DAYS, assets: ALL })).toMatchObject({ ending: 'done', pending: 0 });
  expect(rehearsal.venue.log.slice(asked).map(({ query }) => new URLSearchParams(query).get('startTime'))).toEqual(
    Array(2).fill(String(TODAY_MS + 9 * HOUR_MS)),
  );
  expect(await account(rehearsal, TODAY)).toMatchObject({
    totals: { expected: 48, present: 48 },
    gaps: [],
    discrepancies: [],
  });
  const { files } = rehearsal.pipeline.ports;
  const [gold, silver] = [
    'gold/data/interval=1h/exchange=binance/2024-06.parquet',
    'silver/exchange=binance/interval=1h/period=2024-06/part-0.parquet',
  ].map((path) => Buffer.from(files.read(rehearsal.pipeline.lake.at(path))));
  expect(gold?.equals(silver as Buffer)).toBe(true);
});

test('a candle that the venue delivered before it had closed is not stored', async () => {
  const rehearsal = await rehearse({
    seed: 'unfinished',
    symbols: ['BTC/USDT'],
    interval: '1h',
    startMs: TODAY_MS + 10 * HOUR_MS + 4_999,
  });
  await rehearsal.run({ days: DAYS });
  expect((await storedToday(rehearsal)).at(-1)).toBe(8);
});

test('a hole that an answer left in the open day is asked for again after the recheck wait, and only the hole', async () => {
  const rehearsal = await atHalfPastTen('hole today');
  const LEFT_OUT = { fromMs: TODAY_MS + 4 * HOUR_MS, toMs: TODAY_MS + 10 * HOUR_MS };
  rehearsal.venue.plan({
    seed: 'hole today',
    rules: [{ match: { symbol: 'BTCUSDT' }, on: { every: 1 }, fault: { kind: 'missing-rows', ...LEFT_OUT } }],
  });
  await rehearsal.run({ days: { start: TODAY, end: TODAY } });
  expect(await storedToday(rehearsal)).toEqual([0, 1, 2, 3]);
  rehearsal.venue.plan({ seed: 'whole', rules: [] });
  const asked = rehearsal.venue.log.length;
  const again = (): (readonly (string | null)[])[] =>
    rehearsal.venue.log
      .slice(asked)
      .map(({ query }) => new URLSearchParams(query))
      .map((query) => [query.get('symbol'), query.get('startTime')]);
  await rehearsal.run({ days: { start: TODAY, end: TODAY } });
  expect(again()).toEqual([]);
  await rehearsal.clock.runUntil(rehearsal.clock.sleep(rehearsal.pipeline.settings.recheckAfterMs));
  await rehearsal.run({ days: { start: TODAY, end: TODAY } });
  expect(again()).toContainEqual(['BTCUSDT', String(LEFT_OUT.fromMs)]);
  expect(again().filter(([, startTime]) => Number(startTime) < LEFT_OUT.fromMs)).toEqual([]);
  expect(await storedToday(rehearsal)).toEqual(Array.from({ length: 16 }, (_, hour) => hour));
});
