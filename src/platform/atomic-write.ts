import { dirname } from 'node:path';
import type { Files } from './ports/files.ts';

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
