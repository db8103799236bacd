import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from './sqlite-store.ts';
import { StoreDiskError, StoreRefusedError } from '../store-errors.ts';
import type { Migration, Operation, SqlValue, Store } from '../ports/store.ts';
import { all, exec, first } from '../statements.ts';

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'one',
    statements: [
      'create table notes (id bigint primary key, body text, weight double precision)',
      'create table tags (note bigint not null references notes (id), tag text not null)',
    ],
  },
  { name: 'two', statements: ['create index tags_by_note on tags (note)'] },
];

let directory = '';
let path = '';
const stores: Store[] = [];
const open = (migrations = MIGRATIONS, at = path): Store => {
  const store = openSqliteStore({ path: at, migrations });
  stores.push(store);
  return store;
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'candlekeep-store-'));
  path = join(directory, 'state.db');
});
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
  rmSync(directory, { recursive: true, force: true });
});

function* addNote(id: number, body: string | null): Operation<void> {
  yield* exec('insert into notes (id, body) values ($1, $2)', id, body);
}
const notes = (store: Store): Promise<readonly unknown[]> => store.read(all, 'select id, body from notes order by id');
const filesOf = (at: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(at).map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(at, name)))
        .digest('hex'),
    ]),
  );
const refusal = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof StoreRefusedError) return error.reason;
    throw error;
  }
  return 'opened';
};

test('committed data is there after the file is opened again', async () => {
  const store = open();
  await store.transact(addNote, 1, 'kept');
  stores.splice(0).forEach((one) => one.close());
  expect(await notes(open())).toEqual([{ id: 1, body: 'kept' }]);
});

test('an operation branches on the rows it reads and returns a value', async () => {
  const store = open();
  const next = await store.transact(function* next() {
    yield* addNote(41, null);
    const last = yield* first<{ id: number }>('select max(id) as id from notes');
    return last === null ? 0 : last.id + 1;
  });
  expect(next).toBe(42);
});

test('an error rolls everything back, and finally blocks of the operation run', async () => {
  const store = open();
  let cleaned = 0;
  const failing = store.transact(function* fail() {
    try {
      yield* addNote(1, 'gone');
      throw new RangeError('after the write');
    } finally {
      cleaned += 1;
    }
  });
  await expect(failing).rejects.toThrow(RangeError);
  expect(cleaned).toBe(1);
  expect(await notes(store)).toEqual([]);
});

test('a failing statement ends the operation: it cleans up but cannot continue, and the next one works', async () => {
  const store = open();
  const trace: string[] = [];
  const failing = store.transact(function* fail() {
    yield* addNote(1, 'gone');
    try {
      yield* addNote(1, 'twice');
    } catch (error) {
      trace.push('caught');
      throw error;
    } finally {
      trace.push('cleaned');
    }
  });
  await expect(failing).rejects.toMatchObject({ code: 'ERR_SQLITE_ERROR', errcode: 1555 });
  expect(trace).toEqual(['cleaned']);
  await store.transact(addNote, 1, 'kept');
  expect(await notes(store)).toEqual([{ id: 1, body: 'kept' }]);
});

test('foreign keys are enforced', async () => {
  await expect(open().transact(exec, 'insert into tags values ($1, $2)', 9, 'x')).rejects.toMatchObject({
    errcode: 787,
  });
});

test('whole numbers are integers to SQL, in any column and expression', async () => {
  const store = open([]);
  const row = await store.read(
    first,
    'select typeof($1) as whole, typeof($2) as broken, $1 / 2 as half, $1 as back, typeof($3) as big',
    7,
    7.5,
    2n ** 40n,
  );
  expect(row).toEqual({ whole: 'integer', broken: 'real', half: 3, back: 7, big: 'integer' });
});

test('placeholders may repeat and come in any order, and text that looks like one is text', async () => {
  const store = open([]);
  const row = await store.read(first, `select $2 as b, $1 as a, $2 as again, '$1' as text`, 'one', 'two');
  expect(row).toEqual({ b: 'two', a: 'one', again: 'two', text: '$1' });
  const values = Array.from({ length: 12 }, (_, at) => at);
  expect(
    await store.read(() => first(`select ${values.map((at) => `$${at + 1} as c${at}`).join(', ')}`, ...values)),
  ).toMatchObject({ c0: 0, c1: 1, c9: 9, c11: 11 });
});

test('a value without a placeholder is an error', async () => {
  await expect(open([]).read(first, 'select $1 as a', 1, 2)).rejects.toMatchObject({
    code: 'ERR_INVALID_STATE',
  });
});

test('any number and text is read back unchanged', async () => {
  const store = open();
  const value = fc.oneof(
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string(),
    fc.constant(null),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 8 }), async (values: SqlValue[]) => {
      const row = await store.read(() =>
        first(`select ${values.map((_, at) => `$${at + 1} as c${at}`).join(', ')}`, ...values),
      );
      expect(Object.values(row ?? {})).toEqual(values.map((one) => (Object.is(one, -0) ? 0 : one)));
    }),
    { numRuns: 200 },
  );
});

test('a read sees one snapshot although another process commits between its statements', async () => {
  const reader = open();
  const writer = open();
  const counts = await reader.read(function* twice() {
    const before = yield* first<{ n: number }>('select count(*) as n from notes');
    void writer.transact(addNote, 1, 'new');
    const after = yield* first<{ n: number }>('select count(*) as n from notes');
    return [before?.n, after?.n];
  });
  expect(counts).toEqual([0, 0]);
  expect(await notes(reader)).toHaveLength(1);
});

test('after close every call fails', async () => {
  const store = openSqliteStore({ path, migrations: MIGRATIONS });
  store.close();
  await expect(notes(store)).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
  await expect(store.transact(addNote, 1, null)).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
});

test('more different statements than the cache holds work', async () => {
  const store = open();
  for (let n = 0; n < 600; n++) expect(await store.read(() => first<{ n: number }>(`select ${n} as n`))).toEqual({ n });
});

test('only missing migrations are applied; a failing one leaves the file at the last good step', async () => {
  open(MIGRATIONS.slice(0, 1)).close();
  stores.length = 0;
  const broken = [...MIGRATIONS, { name: 'three', statements: ['create table half (a)', 'create table'] }];
  expect(() => open(broken)).toThrow(/incomplete input/);
  const store = open();
  expect(await store.read(all, `select name from sqlite_schema where type = 'table' order by name`)).toEqual([
    { name: 'notes' },
    { name: 'tags' },
  ]);
  expect(await store.read(first, 'pragma user_version')).toEqual({ user_version: 2 });
});

test('a file of a later release is refused and unchanged, even with its last commits still in the WAL', () => {
  const writer = openSqliteStore({
    path,
    migrations: [...MIGRATIONS, { name: 'three', statements: ['create table later (a)'] }],
  });
  const crashed = join(directory, 'crashed');
  for (const suffix of ['', '-wal']) copyFileSync(`${path}${suffix}`, `${crashed}${suffix}`);
  writer.close();
  const before = filesOf(directory);
  expect(refusal(() => open(MIGRATIONS))).toBe('newer');
  expect(refusal(() => open(MIGRATIONS, crashed))).toBe('newer');
  expect(filesOf(directory)).toMatchObject(before);
});

test('a database of another program is refused and unchanged, with any journal mode', () => {
  for (const mode of ['delete', 'wal']) {
    const foreign = new DatabaseSync(path);
    foreign.exec(`pragma journal_mode = ${mode}; create table if not exists theirs (a); insert into theirs values (1)`);
    foreign.close();
    const before = filesOf(directory);
    expect(refusal(() => open())).toBe('foreign');
    expect(filesOf(directory)).toEqual(before);
  }
});

test('one of our databases is not opened under another name', () => {
  openSqliteStore({ path, migrations: [], applicationName: 'candlekeep limits' }).close();
  expect(refusal(() => open([]))).toBe('foreign');
  expect(refusal(() => openSqliteStore({ path, migrations: [], applicationName: 'candlekeep limits' }).close())).toBe(
    'opened',
  );
});

test('a file that is no database is refused and unchanged', () => {
  for (const bytes of ['hello', 'x'.repeat(5000), 'SQLite format 3\0']) {
    writeFileSync(path, bytes);
    expect(refusal(() => open())).toBe('damaged');
    expect(readFileSync(path, 'utf8')).toBe(bytes);
    expect(readdirSync(directory)).toEqual(['state.db']);
  }
});

test('a directory in place of the file is refused', () => {
  expect(refusal(() => open([], directory))).toBe('damaged');
});

test('damage behind an intact header is reported as damage when it is read', async () => {
  const store = openSqliteStore({ path, migrations: MIGRATIONS });
  await store.transact(function* fill() {
    for (let id = 0; id < 500; id++) yield* addNote(id, 'x'.repeat(200));
  });
  store.close();
  const bytes = readFileSync(path);
  bytes.fill(0x55, 4096 * 4);
  writeFileSync(path, bytes);
  const damaged = open();
  await expect(notes(damaged)).rejects.toMatchObject({ name: 'StoreRefusedError', reason: 'damaged', path });
});

test('a full disk is reported as ENOSPC, loses no commit, and the store works once there is space', async () => {
  const store = open();
  await store.transact(addNote, 1, 'kept');
  const pagesMax = (pages: number): Promise<unknown> => store.read(first, `pragma max_page_count = ${pages}`);
  await pagesMax(1);
  const full = store.transact(addNote, 2, 'x'.repeat(1_000_000));
  await expect(full).rejects.toBeInstanceOf(StoreDiskError);
  await expect(full).rejects.toMatchObject({ code: 'ENOSPC', syscall: 'sqlite', path });
  expect(await notes(store)).toEqual([{ id: 1, body: 'kept' }]);
  await pagesMax(1_000_000);
  await store.transact(addNote, 2, 'now');
  expect(await notes(store)).toHaveLength(2);
});

test('four processes that open a missing file concurrently succeed, and no write is lost', async () => {
  const script = `
    import { openSqliteStore } from ${JSON.stringify(new URL('./sqlite-store.ts', import.meta.url).href)};
    const store = openSqliteStore({ path: ${JSON.stringify(path)}, migrations: ${JSON.stringify(MIGRATIONS)} });
    for (let n = 0; n < 25; n++) {
      await store.transact(function* add() {
        const [row] = yield { sql: 'select coalesce(max(id), 0) + 1 as id from notes', values: [] };
        yield { sql: 'insert into notes (id) values ($1)', values: [row.id] };
      });
    }
    store.close();`;
  await Promise.all(
    [1, 2, 3, 4].map(() => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])),
  );
  expect(await open().read(first, 'select count(*) as n, max(id) as last from notes')).toEqual({
    n: 100,
    last: 100,
  });
});

test('a commit is durable before it returns, and the WAL is checkpointed at close', async () => {
  const store = openSqliteStore({ path, migrations: MIGRATIONS });
  expect(
    await store.read(function* pragmas() {
      const journal = yield* first('pragma journal_mode');
      const synchronous = yield* first('pragma synchronous');
      return { ...journal, ...synchronous };
    }),
  ).toEqual({ journal_mode: 'wal', synchronous: 2 });
  store.close();
  expect(existsSync(`${path}-wal`)).toBe(false);
});

test('relaxed durability applies only to the database that sets it', async () => {
  const relaxed = openSqliteStore({ path, migrations: [], durability: 'relaxed' });
  expect(await relaxed.read(first, 'pragma synchronous')).toEqual({ synchronous: 1 });
  relaxed.close();
});
