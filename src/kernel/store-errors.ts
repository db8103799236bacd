/** Why a database was not opened or could not be used. `newer`: made by a later release. `runtime`: this SQLite is too old to be trusted. */
export type StoreRefusal = 'newer' | 'foreign' | 'damaged' | 'busy' | 'runtime';

/** The database cannot be used as it is. Whatever it holds was left as it was. */
export class StoreRefusedError extends Error {
  override readonly name = 'StoreRefusedError';
  readonly reason: StoreRefusal;
  readonly path: string;

  constructor(path: string, reason: StoreRefusal, options?: ErrorOptions) {
    super(`${path}: ${REFUSALS[reason]}`, options);
    this.path = path;
    this.reason = reason;
  }
}

const REFUSALS: Readonly<Record<StoreRefusal, string>> = {
  newer: 'was written by a newer release',
  foreign: 'is not a database of this program',
  damaged: 'is damaged or not a database',
  busy: 'is held by another process for too long',
  runtime: 'needs a newer SQLite than this Node has',
};

export type DiskErrno = 'ENOSPC' | 'EIO' | 'EROFS' | 'EACCES';

/** The disk under the database failed. Shaped like Node's own disk errors, so that one rule classifies both. */
export class StoreDiskError extends Error {
  override readonly name = 'StoreDiskError';
  readonly path: string;
  readonly errno: DiskErrno;
  readonly code: DiskErrno;
  readonly syscall = 'sqlite';

  constructor(path: string, errno: DiskErrno, options?: ErrorOptions) {
    super(`${errno}: the database ${path} cannot be written or read`, options);
    this.path = path;
    this.errno = errno;
    this.code = errno;
  }
}

// Primary result codes. Source: sqlite.org/rescode.html.
const REFUSED: Readonly<Record<number, StoreRefusal>> = { 5: 'busy', 6: 'busy', 11: 'damaged', 26: 'damaged' };
const DISK: Readonly<Record<number, DiskErrno>> = { 3: 'EACCES', 8: 'EROFS', 10: 'EIO', 13: 'ENOSPC', 14: 'EACCES' };

/** What SQLite threw, told by its result code; a constraint, wrong SQL or anything else comes back as it is. */
export function translateSqliteError(path: string, error: unknown): unknown {
  if (!Error.isError(error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  const primary = error.errcode & 0xff; // the upper bits say more about the same failure
  const refusal = REFUSED[primary];
  if (refusal) return new StoreRefusedError(path, refusal, { cause: error });
  const errno = DISK[primary];
  return errno ? new StoreDiskError(path, errno, { cause: error }) : error;
}
