import { type StoreRefusal, StoreRefusedError, type DiskErrno, StoreDiskError } from '../store-errors.ts';

// Primary result codes. Source: sqlite.org/rescode.html.
const REFUSED: Readonly<Record<number, StoreRefusal>> = { 5: 'busy', 6: 'busy', 11: 'damaged', 26: 'damaged' };

const DISK: Readonly<Record<number, DiskErrno>> = { 3: 'EACCES', 8: 'EROFS', 10: 'EIO', 13: 'ENOSPC', 14: 'EACCES' };

/**
 * Translates an SQLite error by its result code; constraint violations, wrong SQL and others are returned unchanged.
 */
export function translateSqliteError(path: string, error: unknown): unknown {
  if (!Error.isError(error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  const primary = error.errcode & 0xff; // the upper bits refine the same failure
  const refusal = REFUSED[primary];
  if (refusal) return new StoreRefusedError(path, refusal, { cause: error });
  const errno = DISK[primary];
  return errno ? new StoreDiskError(path, errno, { cause: error }) : error;
}
