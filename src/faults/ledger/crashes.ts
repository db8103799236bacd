import type { Processes } from '../../kernel/process-identity.ts';
import { all, exec, type Operation } from '../../kernel/store.ts';
import { isLeaseHeld, LEASE_TTL_MS, releaseLeases, runLease } from './leases.ts';

/** Tag of a run that its process did not live to finish. */
export const CRASH_TAG = { name: 'ended_by', value: 'crash' } as const;

/**
 * Ends every run whose process is gone: it failed, is tagged, and gives its leases back. The fence
 * moves on, so that a process which only slept writes nothing more. Returns the ids.
 */
export function* endCrashedRuns(nowMs: number, processes: Processes): Operation<readonly string[]> {
  const open = yield* all<{ id: string }>(
    `select id from runs where status = 'running' or (status = 'queued' and created_at < $1) order by created_at, id`, nowMs - LEASE_TTL_MS,
  );
  const ended: string[] = [];
  for (const { id } of open) {
    if (yield* isLeaseHeld(runLease(id), nowMs, processes)) continue;
    yield* exec(`update runs set status = 'finished', outcome = 'failed', fence = fence + 1, crash_count = crash_count + 1, finished_at = $2 where id = $1`, id, nowMs);
    yield* exec('insert into run_tags (run_id, tag, value) values ($1, $2, $3) on conflict (run_id, tag) do nothing', id, CRASH_TAG.name, CRASH_TAG.value);
    yield* releaseLeases(id);
    ended.push(id);
  }
  return ended;
}
