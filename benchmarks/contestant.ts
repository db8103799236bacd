import type { ContestantResult } from './assessment.ts';
import type { Ended } from './processes.ts';
import type { Task } from './workload.ts';

export interface Attempt {
  readonly processes: readonly Ended[];
  /** From the start of the first process to the end of the last. */
  readonly wallMs: number;
  readonly result: ContestantResult;
}

export interface Terms {
  readonly share: number;
  readonly wallMsMax: number;
}

export interface Contestant {
  readonly name: string;
  run(task: Task, terms: Terms): Promise<Attempt>;
}
