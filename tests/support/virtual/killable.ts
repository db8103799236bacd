import { realProcesses } from '../../../src/platform/node/process-identity.ts';
import { killAt, KilledError } from './failing-ports.ts';
import { DeadlockError } from './virtual-clock.ts';
import type { Ports } from '../../../src/platform/ports/ports.ts';
import { expect } from 'vitest';
import type { Simulation } from '../simulated.ts';

/** Above the largest process id of Linux. Source: proc(5), pid_max. */
const NO_PROCESS = 4_194_305;

/** Ports that die at their n-th call; their leases belong to a dead process. */
export function killable(
  { pipeline }: Simulation,
  kill: { readonly n: number; readonly when: 'before' | 'after' },
): { readonly ports: Ports; readonly calls: () => number } {
  const processes = realProcesses();
  return killAt({ ...pipeline.ports, processes: { ...processes, self: { ...processes.self, pid: NO_PROCESS } } }, kill);
}

/** True when the work ended; false when the process died during it. */
export async function survives({ clock }: Simulation, work: Promise<unknown>): Promise<boolean> {
  try {
    await clock.runUntil(work);
    return true;
  } catch (error) {
    expect(error instanceof DeadlockError || error instanceof KilledError, String(error)).toBe(true);
    return false;
  }
}
