import { liftHalts, type Halt } from '../../state/halts.ts';
import { requestCancel } from '../../state/runs.ts';
import type { StateAccess } from '../core/pipeline.ts';

/** Requests a stop from the process that executes the run. False if the run is neither queued nor running. */
export const cancelRun = ({ ports }: Pick<StateAccess, 'ports'>, id: string): Promise<boolean> =>
  ports.store.transact(requestCancel, id);

/** Clears every halt and returns them. */
export const clearHalts = ({ ports }: Pick<StateAccess, 'ports'>): Promise<readonly Halt[]> =>
  ports.store.transact(liftHalts, ports.clock.nowMs());
