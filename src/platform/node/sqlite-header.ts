import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The header of a database file, read without SQLite, which would create files beside it. */
export type SqliteHeader =
  | { readonly kind: 'empty' }
  | { readonly kind: 'other' }
  | { readonly kind: 'database'; readonly applicationId: number; readonly userVersion: number };

// Source: sqlite.org/fileformat.html, "The Database Header".
const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;

/** `empty` also for a missing file. @throws Node's error for other disk failures. */
export function readSqliteHeader(path: string): SqliteHeader {
  const bytes = firstBytes(path);
  if (bytes === null || bytes.length === 0) return { kind: 'empty' };
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return { kind: 'other' };
  return {
    kind: 'database',
    applicationId: bytes.readInt32BE(APPLICATION_ID_AT),
    userVersion: bytes.readInt32BE(USER_VERSION_AT),
  };
}

function firstBytes(path: string): Buffer | null {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    if (!fstatSync(fd).isFile()) return Buffer.from('not a file');
    const bytes = Buffer.alloc(HEADER_BYTES);
    return bytes.subarray(0, readSync(fd, bytes, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(fd);
  }
}
