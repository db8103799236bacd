import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Who holds a lease: enough to tell a dead process from one whose number was given away again. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Start of the process as the operating system counts it; empty where it does not say. */
  readonly startMark: string;
}

export interface Processes {
  readonly self: ProcessIdentity;
  /** False only when it is certain: same host, and that process is gone. */
  mayBeAlive(other: ProcessIdentity): boolean;
}

/** Field 22 of /proc/PID/stat, counted after the command name, which may hold spaces. Source: proc(5). */
const START_TIME_FIELD = 19;

export function realProcesses(): Processes {
  const self = { host: hostname(), pid: process.pid, startMark: startMarkOf(process.pid) };
  return {
    self,
    mayBeAlive: (other) => {
      if (other.host !== self.host) return true;
      try {
        process.kill(other.pid, 0);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
      }
      const mark = startMarkOf(other.pid);
      return mark === '' || other.startMark === '' || mark === other.startMark;
    },
  };
}

function startMarkOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TIME_FIELD] ?? '';
  } catch (error) {
    if (Error.isError(error)) return ''; // no /proc here, or the process has just gone
    throw error;
  }
}
