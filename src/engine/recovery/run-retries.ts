import { GOLD_ASSET } from '../../domain/assets.ts';
import type { Run } from '../../state/runs.ts';
import { RUN_RETRY_WAITS_MS } from '../../errors/schedule.ts';
import { ruleOf } from '../../errors/table.ts';

export const retryCountOf = (run: Pick<Run, 'tags'>): number => Number(run.tags['retry_count'] ?? 0);

export interface RetryView {
  readonly nowMs: number;
  readonly waitPolicy: 'all' | 'none';
}

/** How the sensor will run a failed run again. */
export interface PlannedRetry {
  /** Counts from 1. */
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly atMs: number;
}

type FailedRun = Pick<Run, 'trigger' | 'tags' | 'error' | 'assets' | 'finishedAtMs'>;

/** `never`: not this way; its cells may heal by themselves. `used-up`: it was, as often as it may. */
export function plannedRetryOf(run: FailedRun, nowMs: number): PlannedRetry | 'never' | 'used-up' {
  if (!mayPass(run)) return 'never';
  const retries = retryCountOf(run);
  const waitMs = RUN_RETRY_WAITS_MS[retries];
  return waitMs === undefined
    ? 'used-up'
    : { attempt: retries + 1, attemptsMax: RUN_RETRY_WAITS_MS.length, atMs: (run.finishedAtMs ?? nowMs) + waitMs };
}

/**
 * Which failed runs are run again now: what failed may pass by itself or the process died, the retries are
 * not used up, and the wait is over. `failures` have no retry yet.
 */
export const retriesDue = (failures: readonly Run[], { nowMs, waitPolicy }: RetryView): readonly Run[] =>
  failures.filter((run) => {
    const retry = plannedRetryOf(run, nowMs);
    return typeof retry === 'object' && (waitPolicy === 'none' || retry.atMs <= nowMs);
  });

/** Permanent faults and defects do not pass, wrong data heals cell by cell, and cells that were being healed have their next appointment; a dataset that was not published has none. */
function mayPass({ trigger, error, assets }: FailedRun): boolean {
  if (trigger === 'heal') return assets.some(({ asset, outcome }) => asset === GOLD_ASSET && outcome === 'failed');
  if (error?.kind === 'defect') return false;
  const codes = [...(error === null ? [] : [error.code]), ...assets.flatMap((asset) => Object.values(asset.errors))];
  return codes.some((code) => ruleOf(code).kind === 'transient');
}
