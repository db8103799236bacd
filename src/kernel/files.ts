import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { diskError } from './disk-error.ts';

/**
 * Disk as a port. Calls are synchronous on purpose: a rename belongs into the same store transaction
 * as the row that names the file, and nothing may come between. Paths are absolute. Errors are Node's
 * (`ENOENT`, `ENOSPC`, ...).
 */
export interface Files {
  exists(path: string): boolean;
  read(path: string): Uint8Array;
  /** Bytes `offset` to `offset + length`; throws when the file is shorter. */
  readSlice(path: string, offset: number, length: number): Uint8Array;
  /** Creates or replaces, without fsync. The directory is made when it is missing. */
  write(path: string, bytes: Uint8Array): void;
  /** Creates an empty file, or throws `EEXIST`: how a process claims a name for itself. */
  claim(path: string): void;
  /** Appends to an existing file and returns the offset the bytes start at. Without fsync. */
  append(path: string, bytes: Uint8Array): number;
  /** Makes a file's bytes survive power loss. */
  fsync(path: string): void;
  /** Makes names in a directory (new, renamed, removed files) survive power loss. */
  fsyncDirectory(path: string): void;
  /** Replaces `to` atomically; both in the same directory. */
  rename(from: string, to: string): void;
  remove(path: string): void;
  makeDirectory(path: string): void;
  /** Names (not paths) in a directory, sorted; an absent directory is empty. */
  list(path: string): readonly string[];
  sizeBytes(path: string): number;
  /** Bytes a user may still write on the disk that holds `path`. */
  freeBytes(path: string): number;
}

export const realFiles: Files = {
  exists: (path) => fs.existsSync(path),
  read: (path) => fs.readFileSync(path),
  readSlice: (path, offset, length) => {
    const bytes = Buffer.alloc(length);
    const got = withOpen(path, 'r', (fd) => fs.readSync(fd, bytes, 0, length, offset));
    if (got !== length) throw new RangeError(`${path} ends at byte ${offset + got}, ${offset + length} were asked`);
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
 * Makes a directory and what is missing above it. Node's own recursive call never returns where a file
 * system answers ENOENT below a directory that is there, as /proc does.
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

/** Writes a file that only its owner may read, or throws `EEXIST`: of two processes that need a secret one makes it. */
export function writePrivate(path: string, text: string): void {
  makeDirectory(dirname(path));
  fs.writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
}

/** Writes so that after a crash `path` holds either what it held or all of `bytes`: temp file, fsync, rename. */
export function writeAtomic(files: Files, path: string, bytes: Uint8Array): void {
  const temp = tempBeside(path);
  files.write(temp, bytes);
  files.fsync(temp);
  files.rename(temp, path);
  files.fsyncDirectory(dirname(path));
}

/** `.tmp-<name>` in the same directory: what a crash leaves behind is known by its name and removed at the next start. */
export const tempBeside = (path: string): string =>
  `${dirname(path)}/${TEMP_PREFIX}${path.slice(dirname(path).length + 1)}`;

/** True for a file's name that `tempBeside` gave. */
export const isTemp = (name: string): boolean => name.startsWith(TEMP_PREFIX);

const TEMP_PREFIX = '.tmp-';
