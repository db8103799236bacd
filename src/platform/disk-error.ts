import { constants } from 'node:os';

/** An error as Node's own file calls throw it, for disks that are simulated or reached through a library. */
export function diskError(
  code: keyof typeof constants.errno,
  syscall: string,
  path: string,
  options?: ErrorOptions,
): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`, options), {
    code,
    syscall,
    path,
    errno: -constants.errno[code],
  });
}
