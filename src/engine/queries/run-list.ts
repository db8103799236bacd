import { faultsOfRun, type FaultEntry } from '../../state/fault-log.ts';
import { listRuns, readRun, type Run } from '../../state/runs.ts';
import type { StateAccess } from '../core/pipeline.ts';

type WithStore = Pick<StateAccess, 'ports'>;

const FAULTS_MAX = 1_000;

/** Newest first. */
export const newestRuns = ({ ports }: WithStore, limit: number): Promise<readonly Run[]> =>
  ports.store.read(listRuns, limit);

/** Null if there is no such run. */
export const runById = ({ ports }: WithStore, id: string): Promise<Run | null> => ports.store.read(readRun, id);

/** The faults a run recorded, oldest first, 1000 at most. */
export const faultsOf = ({ ports }: WithStore, id: string): Promise<readonly FaultEntry[]> =>
  ports.store.read(faultsOfRun, id, FAULTS_MAX);
