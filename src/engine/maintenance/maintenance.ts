import { releaseLeases } from '../../state/leases.ts';
import { CellsLeasedError } from '../../errors/errors.ts';
import { withHeldLeases, takeLeasesNow } from '../core/lease-keeping.ts';
import type { Pipeline } from '../core/pipeline.ts';

/** Held by the one process that changes bronze itself or the whole index. */
const MAINTENANCE_LEASE = 'maintenance';

/** @throws CellsLeasedError (CELLS_LEASED) while another process prunes or repairs. */
export async function exclusively<T>({ ports }: Pipeline, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const owner = ports.ids.next('maintenance');
  const { refused } = await takeLeasesNow(ports, owner, [MAINTENANCE_LEASE]);
  if (refused[0] !== undefined) throw new CellsLeasedError({ lease: 'bronze as a whole', owner: refused[0].owner });
  try {
    return await withHeldLeases(ports, { owner, signal }, work);
  } finally {
    await ports.store.transact(releaseLeases, owner);
  }
}
