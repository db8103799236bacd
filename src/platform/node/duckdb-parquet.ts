import type { DuckDBConnection, DuckDBInstance, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { Clock } from '../ports/clock.ts';
import { diskError } from '../disk-error.ts';
import type { Files } from '../ports/files.ts';
import { realFiles } from './disk-files.ts';
import { ParquetUnreadableError } from '../parquet-error.ts';
import type { Column, ColumnType, ColumnValue, Parquet } from '../ports/parquet.ts';
import { scratchFiles, type Scratch } from './scratch.ts';

/** Rows per row group: a multiple of DuckDB's 2048; compresses well, and readers can still skip groups. */
const ROW_GROUP_ROWS = 122_880;
/** Rows of one DuckDB data chunk. */
const CHUNK_ROWS_MAX = 2_048;
const MICROS_PER_MS = 1_000n;

export interface DuckdbParquetOptions {
  /** DuckDB reads and writes real files only; they exist here during one call. */
  readonly scratchDirectory: string;
  readonly clock: Clock;
  readonly files?: Files;
}

/**
 * Parquet through DuckDB, loaded at the first call. With one thread and a fixed row order, the same columns give the
 * same bytes in every process.
 * @throws ParquetUnreadableError, or an error shaped like Node's when the scratch disk fails.
 */
export function openDuckdbParquet({
  scratchDirectory,
  clock,
  files = realFiles,
}: DuckdbParquetOptions): Parquet & { close(): void } {
  const scratch = scratchFiles(scratchDirectory, files);
  let instance: Promise<DuckDBInstance> | null = null;
  const connected = async <T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
    instance ??= startDuckdb(scratch.directory);
    const connection = await (await instance).connect();
    try {
      return await work(connection);
    } finally {
      connection.closeSync();
    }
  };
  return {
    encode: (columns) => clock.track(connected((connection) => encode(connection, scratch, { columns, clock }))),
    decode: (bytes) => clock.track(connected((connection) => decode(connection, scratch, bytes))),
    close: () => {
      void instance?.then(
        (duckdb) => duckdb.closeSync(),
        () => undefined,
      ); // the call that started it has reported the failure
      instance = null;
      scratch.close();
    },
  };
}

async function startDuckdb(directory: string): Promise<DuckDBInstance> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  return DuckDBInstance.create(':memory:', {
    threads: '1',
    preserve_insertion_order: 'true',
    temp_directory: directory,
    // Everything needed is built in; DuckDB must not download extensions.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
}

async function encode(
  connection: DuckDBConnection,
  scratch: Scratch,
  { columns, clock }: TableFill,
): Promise<Uint8Array> {
  await fill(connection, { columns, clock });
  const path = scratch.next();
  try {
    await connection.run(
      `copy rows to ${quoted(path)} (format parquet, parquet_version v1, compression zstd, compression_level 3,
         row_group_size ${ROW_GROUP_ROWS})`,
    );
    return scratch.files.read(path);
  } catch (error) {
    // DuckDB reports a full disk only in its message text; the free space shows it without reading messages.
    if (scratch.files.freeBytes(scratch.directory) < rawBytes(columns))
      throw diskError('ENOSPC', 'write', path, { cause: error });
    throw error;
  } finally {
    scratch.files.remove(path);
  }
}

interface TableFill {
  readonly columns: readonly Column[];
  readonly clock: Clock;
}

async function fill(connection: DuckDBConnection, { columns, clock }: TableFill): Promise<void> {
  const rowsTotal = columns[0]?.values.length ?? 0;
  const uneven = columns.find((column) => column.values.length !== rowsTotal);
  if (uneven)
    throw new RangeError(`column ${uneven.name} has ${uneven.values.length} values, the first one ${rowsTotal}`);
  const duckdb = await import('@duckdb/node-api');
  const types: Readonly<Record<ColumnType, DuckDBType>> = {
    timestamp: duckdb.TIMESTAMPTZ,
    string: duckdb.VARCHAR,
    double: duckdb.DOUBLE,
    bigint: duckdb.BIGINT,
  };
  const convert: Readonly<Record<ColumnType, (value: string | number) => DuckDBValue>> = {
    timestamp: (value) => new duckdb.DuckDBTimestampTZValue(BigInt(value) * MICROS_PER_MS),
    string: (value) => value,
    double: (value) => value,
    bigint: (value) => BigInt(value),
  };
  const definitions = columns.map(({ name, type }) => `${named(name)} ${types[type].toString()}`);
  await connection.run(`create temp table rows (${definitions.join(', ')})`);
  const appender = await connection.createAppender('rows', 'main', 'temp');
  for (let from = 0; from < rowsTotal; from += CHUNK_ROWS_MAX) {
    await clock.yieldToEventLoop();
    const to = Math.min(from + CHUNK_ROWS_MAX, rowsTotal);
    const chunk = duckdb.DuckDBDataChunk.create(
      columns.map(({ type }) => types[type]),
      to - from,
    );
    for (const [at, { type, values }] of columns.entries()) {
      chunk.setColumnValues(
        at,
        values.slice(from, to).map((value) => (value === null ? null : convert[type](value))),
      );
    }
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

async function decode(
  connection: DuckDBConnection,
  scratch: Scratch,
  bytes: Uint8Array,
): Promise<ReadonlyMap<string, readonly ColumnValue[]>> {
  const path = scratch.next();
  try {
    scratch.files.write(path, bytes);
    const reader = await connection
      .runAndReadAll(`select * from read_parquet(${quoted(path)})`)
      .catch((error: unknown) => {
        throw new ParquetUnreadableError('the bytes cannot be read as Parquet', { cause: error });
      });
    const { DuckDBTimestampTZValue } = await import('@duckdb/node-api');
    const plain = (value: DuckDBValue): ColumnValue => {
      if (value === null || typeof value === 'string' || typeof value === 'number') return value;
      if (typeof value === 'bigint') return safeNumber(value);
      if (value instanceof DuckDBTimestampTZValue) return safeNumber(value.micros / MICROS_PER_MS);
      const type = typeof value === 'object' ? value.constructor.name : typeof value;
      throw new ParquetUnreadableError(`a column holds ${type}, which the lake never writes`);
    };
    const columns = reader.getColumns(); // empty when there are no rows
    return new Map(reader.columnNames().map((name, at) => [name, columns[at]?.map(plain) ?? []]));
  } finally {
    scratch.files.remove(path);
  }
}

function safeNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new ParquetUnreadableError(`${value} is not a safe integer`);
  return number;
}

const NUMBER_BYTES = 8;
const rawBytes = (columns: readonly Column[]): number =>
  columns.reduce(
    (bytes, { values }) =>
      bytes + values.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : NUMBER_BYTES), 0),
    0,
  );

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const named = (name: string): string => `"${name.replaceAll('"', '""')}"`;
