import { liftHalts, type Halt } from '../../state/halts.ts';
import { requestCancel } from '../../state/runs.ts';
import type { StateAccess } from '../core/pipeline.ts';

/** Asks the process that executes the run to stop. False if no such run is under way. */
export const cancelRun = ({ ports }: Pick<StateAccess, 'ports'>, id: string): Promise<boolean> =>
  ports.store.transact(requestCancel, id);

/** Clears every halt and returns them. */
export const clearHalts = ({ ports }: Pick<StateAccess, 'ports'>): Promise<readonly Halt[]> =>
  ports.store.transact(liftHalts, ports.clock.nowMs());
