import { backoffMs } from '../../resilience/retry/backoff.ts';
import type { AlertChannelError } from '../../errors/errors.ts';
import { CHANNEL_LIMITED_WAIT_MS, CHANNEL_PROBE_WAIT_MS_MIN } from '../../errors/schedule.ts';
import { ruleOf } from '../../errors/table.ts';

/** Recent results of a channel. Stored, so that a restart neither forgets a broken channel nor floods it. */
export interface ChannelHealth {
  /** Failed sends since the last successful one. */
  readonly failures: number;
  readonly failingSinceMs: number | null;
  /** Since when other channels replace it; null while it is up. */
  readonly downSinceMs: number | null;
  /** No send before this time: the channel's pace, our backoff, or its Retry-After. */
  readonly notBeforeMs: number;
  readonly lastError: string | null;
  readonly lastSentAtMs: number | null;
}

export const UNTRIED: ChannelHealth = {
  failures: 0,
  failingSinceMs: null,
  downSinceMs: null,
  notBeforeMs: 0,
  lastError: null,
  lastSentAtMs: null,
};

/** A channel that has accepted nothing for this long is down. Unit: milliseconds. */
const FAILING_MS_MAX = 30_000;

/**
 * The health after a failed send. A channel that answers 429 is not broken: it counts as down only when the wait, or
 * the time since the first failure, exceeds `FAILING_MS_MAX`.
 */
export function afterFailure(
  health: ChannelHealth,
  { message, facts }: AlertChannelError,
  { nowMs, chance }: { readonly nowMs: number; readonly chance: number },
): ChannelHealth {
  const { triesMax, backoff } = ruleOf('ALERT_CHANNEL_BROKEN');
  const tries = health.failures + 1;
  const failures = facts.failure === 'limited' ? health.failures : tries;
  const failingSinceMs = health.failingSinceMs ?? nowMs;
  const hintMs = facts.retryAfterMs ?? (facts.failure === 'limited' ? CHANNEL_LIMITED_WAIT_MS : null);
  const waitMs = backoffMs(backoff, tries, { chance, hintMs });
  const isDown =
    health.downSinceMs !== null ||
    facts.failure === 'permanent' ||
    failures >= triesMax ||
    nowMs + waitMs - failingSinceMs >= FAILING_MS_MAX;
  return {
    ...health,
    failures,
    failingSinceMs,
    downSinceMs: isDown ? (health.downSinceMs ?? nowMs) : null,
    notBeforeMs: nowMs + (isDown ? Math.max(waitMs, CHANNEL_PROBE_WAIT_MS_MIN) : waitMs),
    lastError: message,
  };
}

/** The health after a successful send: all failures are reset. */
export const afterSuccess = ({
  nowMs,
  paceMs,
}: {
  readonly nowMs: number;
  readonly paceMs: number;
}): ChannelHealth => ({ ...UNTRIED, notBeforeMs: nowMs + paceMs, lastSentAtMs: nowMs });

/** A channel that is down is usable again once its wait is over. */
export const isUsable = ({ downSinceMs, notBeforeMs }: ChannelHealth, nowMs: number): boolean =>
  downSinceMs === null || notBeforeMs <= nowMs;
