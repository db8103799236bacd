import { GOLD_ASSET } from '../../domain/assets.ts';
import type { Run } from '../../state/runs.ts';
import { RUN_RETRY_WAITS_MS } from '../../errors/schedule.ts';
import { ruleOf } from '../../errors/table.ts';

export const retryCountOf = (run: Pick<Run, 'tags'>): number => Number(run.tags['retry_count'] ?? 0);

export interface RetryView {
  readonly nowMs: number;
  readonly waitPolicy: 'all' | 'none';
}

/** The next retry of a failed run. */
export interface PlannedRetry {
  /** Counts from 1. */
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly atMs: number;
}

type FailedRun = Pick<Run, 'trigger' | 'tags' | 'error' | 'assets' | 'finishedAtMs'>;

/** `never`: the run is not retried, although its cells may heal. `used-up`: all retries have failed. */
export function plannedRetryOf(run: FailedRun, nowMs: number): PlannedRetry | 'never' | 'used-up' {
  if (!isTransient(run)) return 'never';
  const retries = retryCountOf(run);
  const waitMs = RUN_RETRY_WAITS_MS[retries];
  return waitMs === undefined
    ? 'used-up'
    : { attempt: retries + 1, attemptsMax: RUN_RETRY_WAITS_MS.length, atMs: (run.finishedAtMs ?? nowMs) + waitMs };
}

/**
 * The failed runs to retry now: their fault is transient or their process died, retries are left, and the wait is over.
 * `failures` have no retry yet.
 */
export const retriesDue = (failures: readonly Run[], { nowMs, waitPolicy }: RetryView): readonly Run[] =>
  failures.filter((run) => {
    const retry = plannedRetryOf(run, nowMs);
    return typeof retry === 'object' && (waitPolicy === 'none' || retry.atMs <= nowMs);
  });

/**
 * Only transient faults are worth a retry: invalid data heals cell by cell. A healing run is retried only for a failed
 * publication, because its cells already have a next attempt.
 */
function isTransient({ trigger, error, assets }: FailedRun): boolean {
  if (trigger === 'heal') return assets.some(({ asset, outcome }) => asset === GOLD_ASSET && outcome === 'failed');
  if (error?.kind === 'defect') return false;
  const codes = [...(error === null ? [] : [error.code]), ...assets.flatMap((asset) => Object.values(asset.errors))];
  return codes.some((code) => ruleOf(code).kind === 'transient');
}
