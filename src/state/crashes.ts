import type { Processes } from '../platform/ports/processes.ts';
import type { Operation } from '../platform/ports/store.ts';
import { all, exec } from '../platform/statements.ts';
import { RunCrashedError } from '../errors/errors.ts';
import { toRecord } from '../errors/fault-record.ts';
import { isLeaseHeld, LEASE_TTL_MS, releaseLeases, runLease } from './leases.ts';

/**
 * Ends every run whose process is gone: it fails with RUN_CRASHED and its leases are released. Its fence is raised, so
 * that a process that was only suspended cannot write any more. Returns the ids.
 */
export function* endCrashedRuns(nowMs: number, processes: Processes): Operation<readonly string[]> {
  const open = yield* all<{ id: string }>(
    `select id from runs where status = 'running' or (status = 'queued' and created_at < $1) order by created_at, id`,
    nowMs - LEASE_TTL_MS,
  );
  const ended: string[] = [];
  for (const { id } of open) {
    if (yield* isLeaseHeld(runLease(id), nowMs, processes)) continue;
    yield* exec(
      `update runs set status = 'finished', outcome = 'failed', error = $3, fence = fence + 1,
         crash_count = crash_count + 1, finished_at = $2 where id = $1`,
      id,
      nowMs,
      JSON.stringify(toRecord(new RunCrashedError({ run: id }))),
    );
    yield* releaseLeases(id);
    ended.push(id);
  }
  return ended;
}
