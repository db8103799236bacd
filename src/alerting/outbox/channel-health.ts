import { backoffMs } from '../../resilience/retry/backoff.ts';
import type { AlertChannelError } from '../../errors/errors.ts';
import { ruleOf } from '../../errors/table.ts';

/** How a channel has behaved. Kept in the store: a restart neither forgets a broken channel nor hammers it. */
export interface ChannelHealth {
  /** Failed sends since the last one that arrived. */
  readonly failures: number;
  readonly failingSinceMs: number | null;
  /** Since when others are told in its place; null while it is up. */
  readonly downSinceMs: number | null;
  /** Nothing is sent before: its own pace, our backoff, or its word. */
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

/** A channel that has not taken anything for so long is down. Unit: milliseconds. */
const FAILING_MS_MAX = 30_000;

/** How long a channel is left alone that asks for fewer messages without saying how long. Unit: milliseconds. */
const LIMITED_WAIT_MS = 1_000;

/** A channel that is down is left alone for at least so long, and others are told meanwhile. Unit: milliseconds. */
const PROBE_WAIT_MS_MIN = 30_000;

/**
 * After a send that did not arrive. A channel that asks us to wait (429) is not broken: it counts as
 * down only when the wait, or the time since the first refusal, is longer than somebody should wait for an alert.
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
  const hintMs = facts.retryAfterMs ?? (facts.failure === 'limited' ? LIMITED_WAIT_MS : null);
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
    notBeforeMs: nowMs + (isDown ? Math.max(waitMs, PROBE_WAIT_MS_MIN) : waitMs),
    lastError: message,
  };
}

/** After a send that arrived: everything is forgiven. */
export const afterSuccess = ({
  nowMs,
  paceMs,
}: {
  readonly nowMs: number;
  readonly paceMs: number;
}): ChannelHealth => ({ ...UNTRIED, notBeforeMs: nowMs + paceMs, lastSentAtMs: nowMs });

/** A channel that is down is tried again when its wait is over; until then others are told. */
export const isUsable = ({ downSinceMs, notBeforeMs }: ChannelHealth, nowMs: number): boolean =>
  downSinceMs === null || notBeforeMs <= nowMs;
