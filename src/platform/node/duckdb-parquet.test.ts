import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { realClock } from './system-clock.ts';
import { ParquetUnreadableError } from '../parquet-error.ts';
import { openDuckdbParquet } from './duckdb-parquet.ts';
import { realFiles } from './disk-files.ts';
import type { Column, Parquet } from '../ports/parquet.ts';

let scratchDirectory = '';
let parquet: Parquet & { close(): void };
beforeAll(() => {
  scratchDirectory = mkdtempSync(join(tmpdir(), "candlekeep-it's-"));
  parquet = openDuckdbParquet({ scratchDirectory, clock: realClock });
});
afterAll(() => {
  parquet.close();
  rmSync(scratchDirectory, { recursive: true, force: true });
});

const HOUR_MS = 3_600_000;
const FIRST_MS = Date.UTC(2024, 0, 1);

/** Rows like those of silver, determined by their number. */
function candleColumns(rowsTotal: number): Column[] {
  const rows = Array.from({ length: rowsTotal }, (_, at) => at);
  return [
    { name: 'timestamp', type: 'timestamp', values: rows.map((at) => FIRST_MS + at * HOUR_MS) },
    { name: 'symbol', type: 'string', values: rows.map((at) => (at % 2 ? 'ETH/USDT' : 'BTC/USDT')) },
    { name: 'close', type: 'double', values: rows.map((at) => 42_000 + ((at * 7919) % 10_007) / 100) },
    { name: 'quote_volume', type: 'double', values: rows.map((at) => (at % 3 ? at * 1.1 : null)) },
    { name: 'trades', type: 'bigint', values: rows.map((at) => (at % 5 ? at : null)) },
  ];
}
const roundTrip = async (columns: readonly Column[]): Promise<unknown> =>
  Object.fromEntries(await parquet.decode(await parquet.encode(columns)));
const valuesOf = (columns: readonly Column[]): unknown =>
  Object.fromEntries(columns.map(({ name, values }) => [name, values]));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test('columns are read back with their names, order, types and nulls', async () => {
  const columns = candleColumns(24);
  const decoded = await parquet.decode(await parquet.encode(columns));
  expect([...decoded.keys()]).toEqual(columns.map(({ name }) => name));
  expect(Object.fromEntries(decoded)).toEqual(valuesOf(columns));
});

test('a file without rows keeps its columns', async () => {
  const columns = candleColumns(0);
  expect(await roundTrip(columns)).toEqual(valuesOf(columns));
});

test('rows keep their order over several row groups', async () => {
  const columns = candleColumns(130_000);
  expect(await roundTrip(columns)).toEqual(valuesOf(columns));
});

test('every double, safe integer, time and text is read back bit for bit', async () => {
  const nullable = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values, { nil: null });
  const row = fc.record({
    timestamp: nullable(fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2200, 0, 1) })),
    double: nullable(fc.double()),
    bigint: nullable(fc.maxSafeInteger()),
    string: nullable(fc.string({ unit: 'grapheme' })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 50 }), async (rows) => {
      const columns = (['timestamp', 'double', 'bigint', 'string'] as const).map(
        (type): Column => ({
          name: type,
          type,
          values: rows.map((one) => (type === 'bigint' && Object.is(one.bigint, -0) ? 0 : one[type])),
        }),
      );
      const decoded = await parquet.decode(await parquet.encode(columns));
      for (const { name, values } of columns) {
        const back = decoded.get(name) ?? [];
        expect(back.length).toBe(values.length);
        expect(back.findIndex((value, at) => !Object.is(value, values[at]))).toBe(-1);
      }
    }),
    {
      numRuns: 40,
      examples: [
        [
          [
            { timestamp: 0, double: 5e-324, bigint: 2 ** 53 - 1, string: '' },
            { timestamp: null, double: -0, bigint: null, string: 'it\'s "\u0000"' },
          ],
        ],
      ],
    },
  );
});

test('times are stored as UTC instants and prices as zstd pages, which other readers of Parquet rely on', async () => {
  const bytes = await parquet.encode(candleColumns(24));
  const duckdb = await import('@duckdb/node-api');
  const path = join(scratchDirectory, 'probe.parquet');
  realFiles.write(path, bytes);
  const connection = await (await duckdb.DuckDBInstance.create(':memory:')).connect();
  const sql = path.replaceAll("'", "''");
  const schema = await connection.runAndReadAll(
    `select name, converted_type, logical_type from parquet_schema('${sql}') where name = 'timestamp'`,
  );
  expect(String(schema.getRows()[0]?.[2])).toContain('isAdjustedToUTC=1');
  const pages = await connection.runAndReadAll(`select distinct compression from parquet_metadata('${sql}')`);
  expect(pages.getRows()).toEqual([['ZSTD']]);
  connection.closeSync();
});

test('the same columns give the same bytes in every process', async () => {
  const columns = candleColumns(5_000);
  const once = sha256(await parquet.encode(columns));
  expect(sha256(await parquet.encode(columns))).toBe(once);
  const script = `
    import { createHash } from 'node:crypto';
    import { readFileSync } from 'node:fs';
    import { openDuckdbParquet } from ${JSON.stringify(new URL('./duckdb-parquet.ts', import.meta.url).href)};
    import { realClock } from ${JSON.stringify(new URL('./system-clock.ts', import.meta.url).href)};
    const parquet = openDuckdbParquet({ scratchDirectory: process.argv[1], clock: realClock });
    const bytes = await parquet.encode(JSON.parse(readFileSync(process.argv[2], 'utf8')));
    parquet.close();
    process.stdout.write(createHash('sha256').update(bytes).digest('hex'));`;
  const input = join(scratchDirectory, 'columns.json');
  realFiles.write(input, Buffer.from(JSON.stringify(columns)));
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    script,
    join(scratchDirectory, 'second'),
    input,
  ]);
  expect(stdout).toBe(once);
});

test('concurrent calls do not interfere', async () => {
  const sizes = [1, 2_048, 2_049, 7, 0, 300];
  const back = await Promise.all(
    sizes.map(
      async (rowsTotal) => (await parquet.decode(await parquet.encode(candleColumns(rowsTotal)))).get('close')?.length,
    ),
  );
  expect(back).toEqual(sizes);
});

test('bytes that are no Parquet, or a part of a file, are unreadable', async () => {
  const whole = await parquet.encode(candleColumns(100));
  for (const bytes of [
    new Uint8Array(),
    Buffer.from('hello'),
    whole.subarray(0, whole.length - 10),
    whole.subarray(10),
  ]) {
    await expect(parquet.decode(bytes)).rejects.toBeInstanceOf(ParquetUnreadableError);
  }
});

test('columns of different lengths are rejected', async () => {
  const uneven: Column[] = [
    { name: 'a', type: 'double', values: [1, 2] },
    { name: 'b', type: 'double', values: [1] },
  ];
  await expect(parquet.encode(uneven)).rejects.toThrow(RangeError);
});

test('work is tracked, so that virtual time waits for it', async () => {
  const tracked: Promise<unknown>[] = [];
  const clock = { ...realClock, track: <T>(work: Promise<T>): Promise<T> => (tracked.push(work), work) };
  const watched = openDuckdbParquet({ scratchDirectory, clock });
  await watched.decode(await watched.encode(candleColumns(1)));
  watched.close();
  expect(tracked).toHaveLength(2);
});

test('encoding yields to the event loop every few thousand rows', async () => {
  let yields = 0;
  const clock = { ...realClock, yieldToEventLoop: () => (yields++, realClock.yieldToEventLoop()) };
  const parquetOnClock = openDuckdbParquet({ scratchDirectory, clock });
  await parquetOnClock.encode(candleColumns(20_000));
  parquetOnClock.close();
  expect(yields).toBeGreaterThanOrEqual(5);
});

test('the scratch directory is empty after each call, and a start removes those of dead processes', async () => {
  const parent = join(scratchDirectory, 'own');
  const dead = join(parent, `${hostname()}.4194305.1.1`); // above the largest possible process id
  const elsewhere = join(parent, 'another-host.1.1.1');
  for (const path of [dead, elsewhere]) mkdirSync(path, { recursive: true });
  const own = openDuckdbParquet({ scratchDirectory: parent, clock: realClock });
  expect(existsSync(dead)).toBe(false);
  await own.decode(await own.encode(candleColumns(10)));
  const [mine] = readdirSync(parent).filter((name) => name !== 'another-host.1.1.1');
  expect(readdirSync(join(parent, mine ?? ''))).toEqual([]);
  own.close();
  expect(readdirSync(parent)).toEqual(['another-host.1.1.1']);
});

test('a full scratch disk is reported as ENOSPC', async () => {
  const parent = join(scratchDirectory, 'full');
  const full = openDuckdbParquet({
    scratchDirectory: parent,
    clock: realClock,
    files: { ...realFiles, freeBytes: () => 0 },
  });
  await full.encode(candleColumns(1)); // little free space alone is no failure
  rmSync(parent, { recursive: true });
  await expect(full.encode(candleColumns(1))).rejects.toMatchObject({ code: 'ENOSPC', syscall: 'write' });
  full.close();
});
