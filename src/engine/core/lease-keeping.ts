import type { Ports } from '../../platform/ports/ports.ts';
import { HEARTBEAT_EVERY_MS, renewLeases, takeLeases, type LeaseGrant } from '../../state/leases.ts';
import { isCancelRequested } from '../../state/runs.ts';
import { CellsLeasedError } from '../../errors/errors.ts';
import { CancelledError } from '../../errors/classify.ts';

/** How long refused leases are tried again before the command ends without their cells. Unit: milliseconds. */
const LEASED_PATIENCE_MS = 5_000;
const LEASED_RETRY_EVERY_MS = 500;
/** A cancel request from another process is seen within this time. Unit: milliseconds. */
const CANCEL_LOOK_EVERY_MS = 1_000;

/**
 * Renews the owner's leases and watches for a cancel request of another process while `work` runs. The signal
 * that `work` gets aborts with the caller's signal, on a cancel request, and when the leases are lost.
 */
export async function withHeldLeases<T>(
  ports: Ports,
  held: { readonly owner: string; readonly signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock, store } = ports;
  const stop = new AbortController();
  const done = new AbortController();
  const signal = AbortSignal.any([held.signal, stop.signal]);
  const beat = async (): Promise<void> => {
    let renewedAtMs = clock.monotonicMs();
    while (!done.signal.aborted) {
      await clock.sleep(CANCEL_LOOK_EVERY_MS, done.signal);
      if (await store.read(isCancelRequested, held.owner))
        stop.abort(new CancelledError(`${held.owner} was cancelled`));
      if (clock.monotonicMs() - renewedAtMs < HEARTBEAT_EVERY_MS) continue;
      renewedAtMs = clock.monotonicMs();
      const leases = await store.transact(renewLeases, held.owner, clock.nowMs());
      if (leases === 0)
        stop.abort(new CellsLeasedError({ lease: `what ${held.owner} held`, owner: 'another process' }));
    }
  };
  const beating = beat().catch((error: unknown) => {
    if (!done.signal.aborted) stop.abort(error);
  });
  try {
    return await work(signal);
  } finally {
    done.abort(new CancelledError('the run ended'));
    await beating;
  }
}

/** Takes leases by name. Leases that others hold are refused without waiting. */
export const takeLeasesNow = (ports: Ports, runId: string, names: readonly string[]): Promise<LeaseGrant> =>
  ports.store.transact(takeLeases, { names, owner: runId, nowMs: ports.clock.nowMs() }, ports.processes);

/** Tries refused leases again for up to 5 s. Returns the granted ones and the owners of the rest. */
export async function takeLeasesLater(
  ports: Ports,
  wanted: { readonly runId: string; readonly names: readonly string[]; readonly signal: AbortSignal },
): Promise<LeaseGrant> {
  const { clock } = ports;
  const endMs = clock.monotonicMs() + LEASED_PATIENCE_MS;
  let grant = await takeLeasesNow(ports, wanted.runId, wanted.names);
  while (grant.refused.length > 0 && clock.monotonicMs() < endMs) {
    await clock.sleep(LEASED_RETRY_EVERY_MS, wanted.signal);
    grant = await takeLeasesNow(ports, wanted.runId, wanted.names);
  }
  return grant;
}
