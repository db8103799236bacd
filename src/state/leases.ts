import type { ProcessIdentity, Processes } from '../platform/ports/processes.ts';
import type { Operation } from '../platform/ports/store.ts';
import { all, exec, first } from '../platform/statements.ts';

/** How long a lease lasts without a heartbeat. A dead process of this host loses its leases immediately. Unit: ms. */
export const LEASE_TTL_MS = 30_000;
export const HEARTBEAT_EVERY_MS = 5_000;

interface LeaseRow {
  readonly name: string;
  readonly owner: string;
  readonly host: string;
  readonly pid: number;
  readonly start_mark: string;
  readonly fence: number;
  readonly expires_at: number;
}

export interface LeaseRequest {
  readonly names: readonly string[];
  /** The run that holds the leases. */
  readonly owner: string;
  readonly nowMs: number;
}

/** The leases granted, and the holders of the others. */
export interface LeaseGrant {
  readonly granted: readonly string[];
  readonly refused: readonly { readonly name: string; readonly owner: string }[];
}

/**
 * Takes every lease that is free, expired, or held by a dead process. The run that loses one also loses its fence: if
 * its process was only suspended, its further writes are rejected.
 */
export function* takeLeases(request: LeaseRequest, processes: Processes): Operation<LeaseGrant> {
  const granted: string[] = [];
  const refused: { name: string; owner: string }[] = [];
  for (const name of request.names) {
    const held = yield* first<LeaseRow>('select * from leases where name = $1', name);
    if (held && held.owner !== request.owner && isHeld(held, request.nowMs, processes)) {
      refused.push({ name, owner: held.owner });
      continue;
    }
    if (held && held.owner !== request.owner)
      yield* exec('update runs set fence = fence + 1 where id = $1', held.owner);
    yield* writeLease(name, request, { identity: processes.self, fence: (held?.fence ?? 0) + 1 });
    granted.push(name);
  }
  return { granted, refused };
}

function* writeLease(
  name: string,
  request: LeaseRequest,
  holder: { identity: ProcessIdentity; fence: number },
): Operation<void> {
  const { host, pid, startMark } = holder.identity;
  yield* exec(
    `insert into leases (name, owner, host, pid, start_mark, fence, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (name) do update set owner = excluded.owner, host = excluded.host, pid = excluded.pid,
       start_mark = excluded.start_mark, fence = excluded.fence, expires_at = excluded.expires_at`,
    name,
    request.owner,
    host,
    pid,
    startMark,
    holder.fence,
    request.nowMs + LEASE_TTL_MS,
  );
}

const isHeld = (lease: LeaseRow, nowMs: number, processes: Processes): boolean =>
  lease.expires_at > nowMs && processes.mayBeAlive({ host: lease.host, pid: lease.pid, startMark: lease.start_mark });

/** The lease of a running run; when it expires, other processes know that the run crashed. */
export const runLease = (runId: string): string => `run:${runId}`;

export function* isLeaseHeld(name: string, nowMs: number, processes: Processes): Operation<boolean> {
  const lease = yield* first<LeaseRow>('select * from leases where name = $1', name);
  return lease !== null && isHeld(lease, nowMs, processes);
}

/** Extends an owner's leases; returns how many it still holds. */
export function* renewLeases(owner: string, nowMs: number): Operation<number> {
  yield* exec('update leases set expires_at = $2 where owner = $1', owner, nowMs + LEASE_TTL_MS);
  return (yield* all('select name from leases where owner = $1', owner)).length;
}

export function* releaseLeases(owner: string): Operation<void> {
  yield* exec('delete from leases where owner = $1', owner);
}
