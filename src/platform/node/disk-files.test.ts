import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Files } from '../ports/files.ts';
import { tempBeside, writeAtomic } from '../atomic-write.ts';
import { realFiles } from './disk-files.ts';
import { volatileFiles } from '../../../tests/support/virtual/volatile-files.ts';

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

const realDisk = (): { files: Files; root: string } => {
  const root = mkdtempSync(join(tmpdir(), 'candlekeep-files-'));
  made.push(root);
  return { files: realFiles, root };
};
const memoryDisk = (): { files: Files; root: string } => {
  const files = volatileFiles();
  files.makeDirectory('/disk');
  return { files, root: '/disk' };
};

const bytesOf = (text: string): Uint8Array => Buffer.from(text);
const textAt = (files: Files, path: string): string => Buffer.from(files.read(path)).toString();
const errnoOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    const { code, syscall, path } = error as NodeJS.ErrnoException;
    return { code, syscall, path };
  }
  return 'no error';
};

// The same contract for the real disk and the simulated one.
describe.each([
  ['the real disk', realDisk],
  ['the disk in memory', memoryDisk],
] as const)('%s', (_name, disk) => {
  test('a written file is read back, and its directory is created', () => {
    const { files, root } = disk();
    files.write(`${root}/a/b/c.bin`, bytesOf('hello'));
    expect(textAt(files, `${root}/a/b/c.bin`)).toBe('hello');
    expect(files.sizeBytes(`${root}/a/b/c.bin`)).toBe(5);
    expect([files.exists(`${root}/a/b/c.bin`), files.exists(`${root}/a/b`), files.exists(`${root}/a/x`)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('writing again replaces the content, also with fewer bytes', () => {
    const { files, root } = disk();
    files.write(`${root}/a`, bytesOf('long text'));
    files.write(`${root}/a`, bytesOf('short'));
    expect(textAt(files, `${root}/a`)).toBe('short');
  });

  test('bytes are copied on read and on write', () => {
    const { files, root } = disk();
    const bytes = bytesOf('hello');
    files.write(`${root}/a`, bytes);
    bytes.fill(0);
    files.read(`${root}/a`).fill(0);
    files.readSlice(`${root}/a`, 0, 5).fill(0);
    expect(textAt(files, `${root}/a`)).toBe('hello');
  });

  test('append returns the offset of the bytes', () => {
    const { files, root } = disk();
    files.claim(`${root}/log`);
    const offsets = ['one', 'two', '', 'three'].map((text) => files.append(`${root}/log`, bytesOf(text)));
    expect(offsets).toEqual([0, 3, 6, 6]);
    expect(textAt(files, `${root}/log`)).toBe('onetwothree');
  });

  test('a slice is exact, and one beyond the end is rejected', () => {
    const { files, root } = disk();
    files.write(`${root}/a`, bytesOf('0123456789'));
    expect(Buffer.from(files.readSlice(`${root}/a`, 3, 4)).toString()).toBe('3456');
    expect(files.readSlice(`${root}/a`, 10, 0)).toHaveLength(0);
    expect(() => files.readSlice(`${root}/a`, 8, 3)).toThrow(RangeError);
  });

  test('a name can be claimed once', () => {
    const { files, root } = disk();
    files.claim(`${root}/deep/lock`);
    expect(files.sizeBytes(`${root}/deep/lock`)).toBe(0);
    expect(errnoOf(() => files.claim(`${root}/deep/lock`))).toEqual({
      code: 'EEXIST',
      syscall: 'open',
      path: `${root}/deep/lock`,
    });
  });

  test('a rename replaces the target', () => {
    const { files, root } = disk();
    files.write(`${root}/new`, bytesOf('new'));
    files.write(`${root}/old`, bytesOf('old'));
    files.rename(`${root}/new`, `${root}/old`);
    expect(textAt(files, `${root}/old`)).toBe('new');
    expect(files.list(root)).toEqual(['old']);
  });

  test('removing a missing file is no error', () => {
    const { files, root } = disk();
    files.write(`${root}/a`, bytesOf('x'));
    for (const name of ['a', 'a', 'no/such']) files.remove(`${root}/${name}`);
    expect(files.exists(`${root}/a`)).toBe(false);
  });

  test('a directory lists names of files and directories in order, an absent one is empty', () => {
    const { files, root } = disk();
    for (const name of ['b', 'a', 'Z', 'sub/inner']) files.write(`${root}/${name}`, bytesOf(''));
    files.makeDirectory(`${root}/empty`);
    files.makeDirectory(`${root}/empty`);
    expect(files.list(root)).toEqual(['Z', 'a', 'b', 'empty', 'sub']);
    expect(files.list(`${root}/nowhere`)).toEqual([]);
  });

  test('absent files are ENOENT, with the call and the path', () => {
    const { files, root } = disk();
    const path = `${root}/nowhere`;
    const open = { code: 'ENOENT', syscall: 'open', path };
    const failures = [
      () => files.read(path),
      () => files.readSlice(path, 0, 1),
      () => files.append(path, bytesOf('x')),
      () => files.fsync(path),
      () => files.fsyncDirectory(path),
    ].map(errnoOf);
    expect(failures).toEqual([open, open, open, open, open]);
    expect(errnoOf(() => files.sizeBytes(path))).toEqual({ ...open, syscall: 'stat' });
    expect(errnoOf(() => files.rename(path, `${path}2`))).toEqual({ ...open, syscall: 'rename' });
  });

  test('a directory is no file', () => {
    const { files, root } = disk();
    expect(errnoOf(() => files.write(root, bytesOf('x')))).toEqual({ code: 'EISDIR', syscall: 'open', path: root });
    expect(errnoOf(() => files.claim(root))).toEqual({ code: 'EEXIST', syscall: 'open', path: root });
  });

  test('an atomic write leaves the bytes and no temporary file', () => {
    const { files, root } = disk();
    writeAtomic(files, `${root}/deep/a.json`, bytesOf('one'));
    writeAtomic(files, `${root}/deep/a.json`, bytesOf('two'));
    expect(textAt(files, `${root}/deep/a.json`)).toBe('two');
    expect(files.list(`${root}/deep`)).toEqual(['a.json']);
    expect(tempBeside(`${root}/deep/a.json`)).toBe(`${root}/deep/.tmp-a.json`);
  });

  test('there is room on the disk', () => {
    const { files, root } = disk();
    expect(files.freeBytes(root)).toBeGreaterThan(0);
  });
});

test('a directory that the file system refuses to create is an error, not an endless retry', () => {
  expect(errnoOf(() => realFiles.makeDirectory('/proc/candlekeep/data'))).toMatchObject({
    code: 'EPERM',
    syscall: 'mkdir',
    path: '/proc/candlekeep',
  });
});
