/** Why a database cannot be used. `newer`: written by a later release. `runtime`: this SQLite version is too old. */
export type StoreRefusal = 'newer' | 'foreign' | 'damaged' | 'busy' | 'runtime';

/** The database cannot be used. Its content was not changed. */
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
  busy: 'has been locked by another process for too long',
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
