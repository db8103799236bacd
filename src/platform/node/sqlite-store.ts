import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { makeDirectory } from './disk-files.ts';
import { readSqliteHeader } from './sqlite-header.ts';
import { StoreRefusedError } from '../store-errors.ts';
import { translateSqliteError } from './sqlite-errors.ts';
import type { Migration, Operation, Row, SqlValue, Statement, Store, StoreOptions } from '../ports/store.ts';

/** How long a statement waits for another process's transaction before the store is `busy`. Unit: milliseconds. */
const BUSY_WAIT_MS = 5_000;
/** The first version without the WAL-reset bug. Source: sqlite.org/changes.html, 3.51.3. */
const SQLITE_VERSION_MIN = [3, 51, 3] as const;
const STATEMENTS_MAX = 256;

/**
 * A store on one SQLite file, safe to open from several processes of one host.
 * @throws StoreRefusedError when the file cannot be used; the file is not changed.
 * @throws StoreDiskError, or Node's error, when the disk fails.
 */
export function openSqliteStore(options: StoreOptions): Store {
  const { path, migrations, applicationName = 'candlekeep', durability = 'full' } = options;
  if (!isRecent(process.versions.sqlite ?? '0')) throw new StoreRefusedError(path, 'runtime');
  const applicationId = createHash('sha256').update(applicationName).digest().readInt32BE(0);
  if (path !== MEMORY) {
    makeDirectory(dirname(path));
    refuseUnusable(path, { applicationId, migrationsTotal: migrations.length });
  }
  return translating(path, () => {
    const database = new DatabaseSync(path, { timeout: BUSY_WAIT_MS, enableForeignKeyConstraints: true });
    try {
      prepareFile(database, { applicationId, synchronous: durability === 'full' ? 'full' : 'normal' });
      migrate(database, path, migrations);
    } catch (error) {
      database.close();
      throw error;
    }
    return storeOn(database, path);
  });
}

const MEMORY = ':memory:';

function isRecent(version: string): boolean {
  const parts = version.split('.').map(Number);
  const differsAt = SQLITE_VERSION_MIN.findIndex((least, at) => parts[at] !== least);
  return differsAt < 0 || (parts[differsAt] ?? 0) > (SQLITE_VERSION_MIN[differsAt] ?? 0);
}

/** Checks an existing file without letting SQLite write to it. */
function refuseUnusable(
  path: string,
  ours: { readonly applicationId: number; readonly migrationsTotal: number },
): void {
  const header = readSqliteHeader(path);
  if (header.kind === 'empty') return;
  if (header.kind === 'other') throw new StoreRefusedError(path, 'damaged');
  // Set before the file enters WAL mode, so that the main file always contains it.
  if (header.applicationId !== ours.applicationId) throw new StoreRefusedError(path, 'foreign');
  const userVersion = hasLog(path) ? readVersionThroughLog(path) : header.userVersion;
  if (userVersion > ours.migrationsTotal) throw new StoreRefusedError(path, 'newer');
}

const hasLog = (path: string): boolean => (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;

/**
 * A later release may have crashed with its last commits in the WAL; a read-only connection sees them without a
 * checkpoint.
 */
const readVersionThroughLog = (path: string): number =>
  translating(path, () => {
    const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_WAIT_MS });
    try {
      return userVersionOf(database);
    } finally {
      database.close();
    }
  });

function prepareFile(
  database: DatabaseSync,
  want: { readonly applicationId: number; readonly synchronous: 'full' | 'normal' },
): void {
  const found = database.prepare('pragma application_id').get()?.['application_id'];
  if (found !== want.applicationId) database.exec(`pragma application_id = ${want.applicationId}`);
  database.exec(`pragma journal_mode = wal; pragma synchronous = ${want.synchronous}`);
}

const userVersionOf = (database: DatabaseSync): number =>
  Number(database.prepare('pragma user_version').get()?.['user_version']);

/**
 * Each migration has its own transaction, which re-reads the version: of two processes that start together, one
 * migrates.
 */
function migrate(database: DatabaseSync, path: string, migrations: readonly Migration[]): void {
  while (userVersionOf(database) !== migrations.length) {
    database.exec('begin exclusive');
    try {
      const version = userVersionOf(database);
      if (version > migrations.length) throw new StoreRefusedError(path, 'newer');
      for (const sql of migrations[version]?.statements ?? []) database.exec(sql);
      database.exec(`pragma user_version = ${Math.min(version + 1, migrations.length)}`);
      database.exec('commit');
    } catch (error) {
      if (database.isTransaction) database.exec('rollback');
      throw error;
    }
  }
}

function storeOn(database: DatabaseSync, path: string): Store {
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known) return known;
    if (statements.size >= STATEMENTS_MAX) statements.clear();
    const made = database.prepare(sql);
    statements.set(sql, made);
    return made;
  };
  const rowsOf = ({ sql, values }: Statement): readonly Row[] => prepared(sql).all(bound(values)) as readonly Row[];
  const run = async <T>(begin: string, operation: () => Operation<T>): Promise<T> =>
    translating(path, () => {
      prepared(begin).run();
      try {
        const result = drive(operation(), rowsOf);
        prepared('commit').run();
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec('rollback'); // a full disk may have rolled back already
        throw error;
      }
    });
  return {
    transact: (operation, ...args) => run('begin immediate', () => operation(...args)),
    read: (operation, ...args) => run('begin', () => operation(...args)),
    damages: async () =>
      translating(path, () =>
        database
          .prepare('pragma quick_check')
          .all()
          .map((row) => String(row['quick_check']))
          .filter((line) => line !== 'ok'),
      ),
    close: () => database.close(),
  };
}

/**
 * Runs each yielded statement. A failing one ends the operation: it may clean up, but not continue in a broken
 * transaction.
 */
function drive<T>(operation: Operation<T>, rowsOf: (statement: Statement) => readonly Row[]): T {
  let step = operation.next();
  while (step.done !== true) {
    let rows: readonly Row[];
    try {
      rows = rowsOf(step.value);
    } catch (error) {
      operation.return(undefined as T);
      throw error;
    }
    step = operation.next(rows);
  }
  return step.value;
}

/** Values by placeholder name. node:sqlite binds every number as REAL, which would make `$1 / 2` a float division. */
const bound = (values: readonly SqlValue[]): Record<string, SQLInputValue> =>
  Object.fromEntries(
    values.map((value, at) => [`$${at + 1}`, Number.isSafeInteger(value) ? BigInt(value as number) : value]),
  );

function translating<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translateSqliteError(path, error);
  }
}
