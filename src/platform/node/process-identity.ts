import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Processes } from '../ports/processes.ts';

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
    if (Error.isError(error)) return ''; // no /proc, or the process has just ended
    throw error;
  }
}
