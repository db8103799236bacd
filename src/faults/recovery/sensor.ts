import { CRASH_TAG } from '../ledger/crashes.ts';
import type { Run } from '../ledger/runs.ts';
import { ruleOf } from '../taxonomy/table.ts';

/** How long after its end a failed run is run again; a retry that fails too is a failed run of its own. Unit: milliseconds. */
const RETRY_WAITS_MS: readonly number[] = [60_000, 300_000, 900_000];
/** So far back failed runs are looked for; what is older heals cell by cell. Unit: milliseconds. */
export const SENSOR_LOOKBACK_MS = 86_400_000;

export const retryCountOf = (run: Pick<Run, 'tags'>): number => Number(run.tags['retry_count'] ?? 0);

export interface SensorView {
  readonly nowMs: number;
  readonly keptWaits: 'all' | 'none';
}

/**
 * Which failed runs are run again now: what failed may pass by itself or the process died, the retries are
 * not used up, and the wait is over. `failures` have no retry yet.
 */
export const retriesDue = (failures: readonly Run[], { nowMs, keptWaits }: SensorView): readonly Run[] =>
  failures.filter((run) => {
    const waitMs = RETRY_WAITS_MS[retryCountOf(run)];
    return waitMs !== undefined && mayPass(run) && (keptWaits === 'none' || (run.finishedAtMs ?? nowMs) + waitMs <= nowMs);
  });

/** Permanent faults and defects do not pass, wrong data heals cell by cell, and cells that were being healed have their next appointment. */
function mayPass({ trigger, tags, error, assets }: Run): boolean {
  if (trigger === 'heal') return false;
  if (tags[CRASH_TAG.name] === CRASH_TAG.value) return true;
  if (error?.kind === 'defect') return false;
  const codes = [...(error === null ? [] : [error.code]), ...assets.flatMap((asset) => Object.values(asset.errors))];
  return codes.some((code) => ruleOf(code).kind === 'transient');
}
