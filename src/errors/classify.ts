import { PipelineError, StorageError, type Fault } from './errors.ts';
import type { FaultCode } from './table.ts';

/** The three things a failure can be; they are never mixed. */
export type Classification =
  | { readonly verdict: 'fault'; readonly fault: Fault }
  | { readonly verdict: 'cancelled' }
  | { readonly verdict: 'defect'; readonly error: unknown };

/** The reason our own AbortControllers abort with: somebody asked us to stop. */
export class CancelledError extends Error {
  override readonly name = 'AbortError';

  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
  }
}

/** System calls that fail because of the disk, not because of us. */
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

/** What was thrown in one word: its code, DEFECT for a bug of ours, null for somebody's wish. */
export function codeOf(error: unknown): FaultCode | null {
  const verdict = classify(error);
  return verdict.verdict === 'fault' ? verdict.fault.code : verdict.verdict === 'defect' ? 'DEFECT' : null;
}

/** A full, read-only or broken disk, told by errno; null for anything else. */
export function asStorageError(error: Error): StorageError | null {
  const { code: errno, path } = error as NodeJS.ErrnoException;
  if (errno === undefined || !STORAGE_ERRNOS.has(errno) || (error as NodeJS.ErrnoException).syscall === undefined)
    return null;
  return new StorageError(
    `cannot write or read ${path ?? 'the data directory'} (${errno}); what was stored before is safe: give it room or rights and run the same again`,
    { path: path ?? '', errno },
    { cause: error },
  );
}
