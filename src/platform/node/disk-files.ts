import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { diskError } from '../disk-error.ts';
import type { Files } from '../ports/files.ts';

export const realFiles: Files = {
  exists: (path) => fs.existsSync(path),
  read: (path) => fs.readFileSync(path),
  readSlice: (path, offset, length) => {
    const bytes = Buffer.alloc(length);
    const got = withOpen(path, 'r', (fd) => fs.readSync(fd, bytes, 0, length, offset));
    if (got !== length)
      throw new RangeError(`${path} ends at byte ${offset + got}, ${offset + length} bytes were requested`);
    return bytes;
  },
  write: (path, bytes) => {
    makeDirectory(dirname(path));
    fs.writeFileSync(path, bytes);
  },
  claim: (path) => {
    makeDirectory(dirname(path));
    fs.closeSync(fs.openSync(path, 'wx'));
  },
  append: (path, bytes) =>
    withOpen(path, 'r+', (fd) => {
      const offset = fs.fstatSync(fd).size;
      let written = 0;
      while (written < bytes.length)
        written += fs.writeSync(fd, bytes, written, bytes.length - written, offset + written);
      return offset;
    }),
  fsync: (path) => withOpen(path, 'r+', (fd) => fs.fsyncSync(fd)),
  fsyncDirectory: (path) => withOpen(path, 'r', (fd) => fs.fsyncSync(fd)),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.rmSync(path, { force: true }),
  makeDirectory,
  list: (path) => (fs.existsSync(path) ? fs.readdirSync(path).toSorted() : []),
  sizeBytes: (path) => fs.statSync(path).size,
  freeBytes: (path) => {
    const disk = fs.statfsSync(path);
    return disk.bavail * disk.bsize;
  },
};

/**
 * Makes a directory and its missing parents. Node's recursive call never returns on file systems that report ENOENT
 * below an existing directory, as /proc does.
 */
export function makeDirectory(path: string): void {
  try {
    fs.mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && fs.statSync(path).isDirectory()) return;
    if (code !== 'ENOENT') throw error;
    if (fs.existsSync(dirname(path))) throw diskError('EPERM', 'mkdir', path, { cause: error });
    makeDirectory(dirname(path));
    makeDirectory(path);
  }
}

function withOpen<T>(path: string, flags: string, work: (fd: number) => T): T {
  const fd = fs.openSync(path, flags);
  try {
    return work(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Writes a file that only its owner can read. Throws `EEXIST`, so that one of two processes creates a shared secret.
 */
export function writePrivate(path: string, text: string): void {
  makeDirectory(dirname(path));
  fs.writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
}
