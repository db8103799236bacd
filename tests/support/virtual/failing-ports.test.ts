import { expect, test } from 'vitest';
import { diskError } from '../../../src/platform/disk-error.ts';
import { failNth, type PlannedFailure } from './failing-ports.ts';
import { writeAtomic } from '../../../src/platform/atomic-write.ts';
import { timeOrderedIds } from '../../../src/platform/time-ordered-ids.ts';
import { silentLog } from '../../../src/platform/ports/log.ts';
import type { Ports } from '../../../src/platform/ports/ports.ts';
import { seededRandom } from '../../../src/platform/seeded-random.ts';
import { redactNothing } from '../../../src/platform/ports/redact.ts';
import { openSqliteStore } from '../../../src/platform/node/sqlite-store.ts';
import { exec, first } from '../../../src/platform/statements.ts';
import { silentTelemetry } from '../../../src/platform/ports/telemetry.ts';
import { VirtualClock } from './virtual-clock.ts';
import { volatileFiles } from './volatile-files.ts';

function world(): Ports {
  const random = seededRandom('world');
  const clock = new VirtualClock({ random });
  return {
    clock,
    random,
    ids: timeOrderedIds(clock, random),
    http: { get: async () => ({ status: 200, headers: {}, body: new Uint8Array() }) },
    fetch: async () => new Response('ok'),
    files: volatileFiles(),
    parquet: { encode: async () => new Uint8Array(), decode: async () => new Map() },
    store: openSqliteStore({
      path: ':memory:',
      migrations: [{ name: 'one', statements: ['create table notes (id bigint primary key)'] }],
    }),
    limits: openSqliteStore({ path: ':memory:', migrations: [] }),
    processes: { self: { host: 'here', pid: 1, startMark: '' }, mayBeAlive: () => true },
    log: silentLog,
    redact: redactNothing,
    telemetry: silentTelemetry,
  };
}

const error = new Error('planned');
const request = { url: 'http://127.0.0.1/' };
const { signal } = new AbortController();

test('exactly the n-th call of a kind fails', async () => {
  const { ports, calls } = failNth(world(), { kind: 'http.get', n: 2, error });
  ports.files.makeDirectory('/d');
  expect((await ports.http.get(request, signal)).status).toBe(200);
  await expect(ports.http.get(request, signal)).rejects.toBe(error);
  expect((await ports.http.get(request, signal)).status).toBe(200);
  expect(calls()).toBe(3);
});

test('fetch can fail too', async () => {
  const { ports } = failNth(world(), { kind: 'fetch', n: 1, error });
  await expect(ports.fetch('http://127.0.0.1/')).rejects.toBe(error);
});

test('a failure before the call has no effect, one after it has the effect and loses the result', async () => {
  const count = async (when: NonNullable<PlannedFailure['when']>): Promise<unknown> => {
    const { ports } = failNth(world(), { kind: 'store.transact', n: 1, error, when });
    await expect(ports.store.transact(exec, 'insert into notes values (1)')).rejects.toBe(error);
    return ports.store.read(first, 'select count(*) as n from notes');
  };
  expect(await count('before')).toEqual({ n: 0 });
  expect(await count('after')).toEqual({ n: 1 });
});

test('a sweep over all disk calls of an atomic write ends, and each failure leaves the old or the new bytes', () => {
  const kinds = ['files.write', 'files.fsync', 'files.rename', 'files.fsyncDirectory'] as const;
  const outcomes = kinds.map((kind) => {
    const base = world();
    writeAtomic(base.files, '/d/a', Buffer.from('old'));
    const { ports, calls } = failNth(base, { kind, n: 1, error: diskError('EIO', 'write', '/d/a') });
    expect(() => writeAtomic(ports.files, '/d/a', Buffer.from('new'))).toThrow(
      expect.objectContaining({ code: 'EIO' }),
    );
    expect(calls()).toBe(1);
    return Buffer.from(base.files.read('/d/a')).toString();
  });
  expect(outcomes).toEqual(['old', 'old', 'old', 'new']);
  const { ports, calls } = failNth(world(), { kind: 'files.fsync', n: 2, error });
  writeAtomic(ports.files, '/d/a', Buffer.from('new'));
  expect(calls()).toBeLessThan(2);
});
