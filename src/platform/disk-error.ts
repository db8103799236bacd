import { constants } from 'node:os';

/** An error shaped like those of Node's file calls, for simulated disks and disks reached through a library. */
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
