import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeAtomic } from '../../../src/platform/atomic-write.ts';
import { seededRandom } from '../../../src/platform/seeded-random.ts';
import { volatileFiles, type VolatileFiles } from './volatile-files.ts';

const bytesOf = (text: string): Uint8Array => Buffer.from(text);
const textAt = (files: VolatileFiles, path: string): string | null =>
  files.exists(path) ? Buffer.from(files.read(path)).toString() : null;

function synced(files: VolatileFiles, path: string, text: string): void {
  files.write(path, bytesOf(text));
  files.fsync(path);
  files.fsyncDirectory('/d');
}

test('a crash loses unsynced bytes', () => {
  const files = volatileFiles();
  synced(files, '/d/log', 'kept ');
  files.append('/d/log', bytesOf('lost'));
  files.crash();
  expect(textAt(files, '/d/log')).toBe('kept ');
  files.append('/d/log', bytesOf('again'));
  expect(textAt(files, '/d/log')).toBe('kept again');
});

test('a crash loses names whose directory was not synced, even when their bytes were', () => {
  const files = volatileFiles();
  synced(files, '/d/old', 'old');
  synced(files, '/d/gone', 'gone');
  files.write('/d/new', bytesOf('new'));
  files.fsync('/d/new');
  files.rename('/d/new', '/d/old');
  files.remove('/d/gone');
  files.crash();
  expect([textAt(files, '/d/old'), textAt(files, '/d/new'), textAt(files, '/d/gone')]).toEqual(['old', null, 'gone']);
});

test('a renamed file whose bytes were never synced is empty after a crash', () => {
  const files = volatileFiles();
  files.write('/d/.tmp-a', bytesOf('never synced'));
  files.rename('/d/.tmp-a', '/d/a');
  files.fsyncDirectory('/d');
  files.crash();
  expect(textAt(files, '/d/a')).toBe('');
});

test('a completed atomic write survives every crash, an interrupted one leaves the old or the new bytes', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(4), (seed, stepsTotal) => {
      const files = volatileFiles();
      writeAtomic(files, '/d/a', bytesOf('old text'));
      const steps = [
        () => files.write('/d/.tmp-a', bytesOf('new')),
        () => files.fsync('/d/.tmp-a'),
        () => files.rename('/d/.tmp-a', '/d/a'),
        () => files.fsyncDirectory('/d'),
      ];
      for (const step of steps.slice(0, stepsTotal)) step();
      files.crash(seededRandom(seed));
      expect(stepsTotal === 4 ? ['new'] : ['old text', 'new']).toContain(textAt(files, '/d/a'));
    }),
  );
});

test('with random loss, an append survives as any prefix, never shorter than the synced bytes', () => {
  const seen = new Set<string | null>();
  for (let n = 0; n < 200; n++) {
    const files = volatileFiles();
    synced(files, '/d/log', 'abc');
    files.append('/d/log', bytesOf('def'));
    files.crash(seededRandom(`crash ${n}`));
    seen.add(textAt(files, '/d/log'));
  }
  expect([...seen].map(String).toSorted()).toEqual(['abc', 'abcd', 'abcde', 'abcdef']);
});

test('with random loss, changes of names survive in their order', () => {
  const seen = new Set<string>();
  for (let n = 0; n < 200; n++) {
    const files = volatileFiles();
    for (const name of ['a', 'b', 'c']) files.write(`/d/${name}`, bytesOf(name));
    files.crash(seededRandom(`crash ${n}`));
    seen.add(files.list('/d').join(''));
  }
  expect([...seen].toSorted()).toEqual(['', 'a', 'ab', 'abc']);
});

test('the same seed crashes the same way', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.string({ maxLength: 6 }), fc.boolean())),
      (seed, writes) => {
        const after = (): unknown => {
          const files = volatileFiles();
          for (const [name, text, isSynced] of writes) {
            files.write(`/d/${name}`, bytesOf(text));
            if (isSynced) files.fsyncDirectory('/d');
          }
          files.crash(seededRandom(seed));
          return files.list('/d').map((name) => [name, textAt(files, `/d/${name}`)]);
        };
        expect(after()).toEqual(after());
      },
    ),
  );
});

test('synced bytes survive any number of crashes and later appends', () => {
  const files = volatileFiles();
  let expected = '';
  files.claim('/d/log');
  files.fsyncDirectory('/d');
  for (let n = 0; n < 50; n++) {
    files.append('/d/log', bytesOf(`line ${n};`));
    files.fsync('/d/log');
    expected += `line ${n};`;
    files.append('/d/log', bytesOf('unsynced'));
    files.crash();
    expect(textAt(files, '/d/log')).toBe(expected);
  }
});

test('a full disk writes the bytes that fit and fails with ENOSPC; removing files frees space', () => {
  const files = volatileFiles({ capacityBytes: 10 });
  files.write('/d/a', bytesOf('123456'));
  expect(files.freeBytes('/d')).toBe(4);
  expect(() => files.write('/d/b', bytesOf('12345'))).toThrow(
    expect.objectContaining({ code: 'ENOSPC', syscall: 'write', path: '/d/b' }),
  );
  expect(textAt(files, '/d/b')).toBe('1234');
  expect(() => files.append('/d/a', bytesOf('7'))).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
  files.remove('/d/b');
  expect(files.append('/d/a', bytesOf('7890'))).toBe(6);
  files.setCapacity(11);
  files.write('/d/b', bytesOf('x'));
  expect(files.freeBytes('/d')).toBe(0);
});
