import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { realClock } from '../platform/node/system-clock.ts';
import { openDuckdbParquet } from '../platform/node/duckdb-parquet.ts';
import {
  parseRawReference,
  quarantineColumns,
  quarantineRows,
  rawReference,
  type QuarantinedRow,
} from './quarantine-columns.ts';

const row: QuarantinedRow = {
  row: {
    exchange: 'binance',
    symbol: 'BTC/USDT',
    interval: '1h',
    openTimeMs: 1_717_200_000_000,
    open: 1,
    high: 2,
    low: 1,
    close: 2,
    volume: 3,
    quoteVolume: 4,
    trades: 5,
    closeTimeMs: null,
  },
  rules: ['ohlc-order', 'volume-negative'],
  runId: 'run_1',
  raw: 'page_0mwvkygcf28m13#3',
};

test('a quarantine file preserves its rows, even values that are not numbers', async () => {
  const scratchDirectory = mkdtempSync(join(tmpdir(), 'candlekeep-quarantine-'));
  onTestFinished(() => rmSync(scratchDirectory, { recursive: true, force: true }));
  const parquet = openDuckdbParquet({ scratchDirectory, clock: realClock });
  const broken = {
    ...row,
    row: { ...row.row, openTimeMs: row.row.openTimeMs + 1, close: Number.NaN, volume: -Infinity, trades: Number.NaN },
  };
  const fractional = { ...row, row: { ...row.row, openTimeMs: row.row.openTimeMs + 2, trades: 1.5 } };
  const read = quarantineRows(await parquet.decode(await parquet.encode(quarantineColumns([row, broken, fractional]))));
  expect(read).toEqual([
    row,
    { ...broken, row: { ...broken.row, trades: null } },
    { ...fractional, row: { ...fractional.row, trades: null } },
  ]);
  parquet.close();
});

test('a raw reference identifies its response and row', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^page_[0-9a-z]{14}$/), fc.nat(), (page, index) => {
      expect(parseRawReference(rawReference({ page, index }))).toEqual({ page, index });
    }),
  );
  for (const text of ['', 'a@1', 'a', '#2', 'a#x', 'a#1#']) expect(parseRawReference(text)).toBeNull();
});
