import type { Operation } from '../platform/ports/store.ts';
import { exec, first } from '../platform/statements.ts';

/** Numbers of entries past their retention. */
export interface OldEntries {
  readonly faults: number;
  readonly runs: number;
  /** Evidence without a verdict. */
  readonly evidence: number;
}

const OLD_FAULTS = 'fault_log where at < $1';
const OLD_RUNS = `runs where status = 'finished' and finished_at < $1`;
const UNNAMED_EVIDENCE = 'evidence where not exists (select 1 from verdicts where evidence_sha256 = evidence.sha256)';

export function* countOldEntries(beforeMs: number): Operation<OldEntries> {
  const count = function* (what: string, ...values: readonly number[]): Operation<number> {
    return (yield* first<{ total: number }>(`select count(*) as total from ${what}`, ...values))?.total ?? 0;
  };
  return {
    faults: yield* count(OLD_FAULTS, beforeMs),
    runs: yield* count(OLD_RUNS, beforeMs),
    evidence: yield* count(UNNAMED_EVIDENCE),
  };
}

/** Deletes faults that occurred and runs that finished before `beforeMs`. */
export function* deleteOldEntries(beforeMs: number): Operation<void> {
  yield* exec(`delete from ${OLD_FAULTS}`, beforeMs);
  yield* exec(`delete from run_tags where run_id in (select id from ${OLD_RUNS})`, beforeMs);
  yield* exec(`delete from ${OLD_RUNS}`, beforeMs);
  yield* exec(`delete from ${UNNAMED_EVIDENCE}`);
}
