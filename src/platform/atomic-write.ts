import { dirname } from 'node:path';
import type { Files } from './ports/files.ts';

/** After a crash `path` holds either its old content or all of `bytes`: temporary file, fsync, rename. */
export function writeAtomic(files: Files, path: string, bytes: Uint8Array): void {
  const temp = tempBeside(path);
  files.write(temp, bytes);
  files.fsync(temp);
  files.rename(temp, path);
  files.fsyncDirectory(dirname(path));
}

/** `.tmp-<name>` in the same directory. The next start finds leftovers of a crash by this name and removes them. */
export const tempBeside = (path: string): string =>
  `${dirname(path)}/${TEMP_PREFIX}${path.slice(dirname(path).length + 1)}`;

/** True for a file name made by `tempBeside`. */
export const isTemp = (name: string): boolean => name.startsWith(TEMP_PREFIX);

const TEMP_PREFIX = '.tmp-';
