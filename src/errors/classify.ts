import { PipelineError, StorageError, type Fault } from './errors.ts';
import type { FaultCode } from './table.ts';

/** The three verdicts about a failure; they are never mixed. */
export type Classification =
  | { readonly verdict: 'fault'; readonly fault: Fault }
  | { readonly verdict: 'cancelled' }
  | { readonly verdict: 'defect'; readonly error: unknown };

/** The reason our own AbortControllers abort with: a person or a signal asked us to stop. */
export class CancelledError extends Error {
  override readonly name = 'AbortError';

  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
  }
}

/** Errors of system calls whose cause is the disk or its permissions, not a bug. */
const STORAGE_ERRNOS = new Set([
  'ENOSPC',
  'EDQUOT',
  'EACCES',
  'EPERM',
  'EROFS',
  'EIO',
  'ENOTDIR',
  'EISDIR',
  'EEXIST',
  'ENAMETOOLONG',
  'EFBIG',
  'EMFILE',
  'ENFILE',
]);

export function classify(error: unknown): Classification {
  if (error instanceof PipelineError) {
    const fault = error as Fault;
    return fault.code === 'DEFECT' ? { verdict: 'defect', error } : { verdict: 'fault', fault };
  }
  if (Error.isError(error)) {
    if (error.name === 'AbortError') return { verdict: 'cancelled' };
    const storage = asStorageError(error);
    if (storage) return { verdict: 'fault', fault: storage };
  }
  return { verdict: 'defect', error };
}

/** The code of what was thrown: DEFECT for a bug, null for a cancellation. */
export function codeOf(error: unknown): FaultCode | null {
  const verdict = classify(error);
  return verdict.verdict === 'fault' ? verdict.fault.code : verdict.verdict === 'defect' ? 'DEFECT' : null;
}

/** A full, read-only or broken disk, recognised by errno; null for anything else. */
export function asStorageError(error: Error): StorageError | null {
  const { code: errno, path } = error as NodeJS.ErrnoException;
  if (errno === undefined || !STORAGE_ERRNOS.has(errno) || (error as NodeJS.ErrnoException).syscall === undefined)
    return null;
  return new StorageError(
    `cannot write or read ${path ?? 'the data directory'} (${errno}); everything stored before is safe: ` +
      'free space or correct the permissions, then run the same command again',
    { path: path ?? '', errno },
    { cause: error },
  );
}
