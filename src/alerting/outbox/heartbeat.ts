import type { Clock } from '../../platform/ports/clock.ts';
import { withTimeLimit } from '../../platform/time-limit.ts';
import type { Log } from '../../platform/ports/log.ts';
import { SEND_MS_MAX } from '../channels/channel.ts';
import { wireCodeOf } from '../channels/http-channel.ts';

/** The facts that decide whether this installation is healthy. */
export interface HealthState {
  readonly nowMs: number;
  /** When the oldest undelivered message was written; null without one. */
  readonly outboxOldestAtMs: number | null;
  readonly channelsDown: number;
  readonly channelsTotal: number;
  /** Null when the last write to the store succeeded. */
  readonly storeError: string | null;
}

/** An alert that waits longer than this is a problem. Unit: milliseconds. */
const OUTBOX_LAG_MS_MAX = 300_000;

/** Why the installation is unhealthy; empty when it is healthy. */
export function healthProblems({
  nowMs,
  outboxOldestAtMs,
  channelsDown,
  channelsTotal,
  storeError,
}: HealthState): string[] {
  const lagMs = outboxOldestAtMs === null ? 0 : nowMs - outboxOldestAtMs;
  return [
    ...(storeError === null ? [] : [`the state cannot be written: ${storeError}`]),
    ...(lagMs > OUTBOX_LAG_MS_MAX ? [`an alert has waited for ${Math.floor(lagMs / 60_000)} min`] : []),
    ...(channelsTotal > 0 && channelsDown === channelsTotal ? ['every alert channel is down'] : []),
  ];
}

/**
 * Pings an external monitor (healthchecks.io's protocol): GET of the address when healthy, of `/fail` below it when
 * there are problems. The monitor alerts when the pings stop. Throws only the signal's reason; returns false when the
 * ping failed.
 */
export async function sendHeartbeat(
  ports: { readonly clock: Clock; readonly fetch: typeof globalThis.fetch; readonly log: Log },
  url: string,
  problems: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const timeoutError = (): Error => Object.assign(new Error('the heartbeat timed out'), { code: 'ETIMEDOUT' });
  const target = problems.length === 0 ? url : failAddress(url);
  try {
    const { status } = await withTimeLimit(
      ports.clock,
      { limitMs: SEND_MS_MAX, timeoutError, outer: signal },
      async (limited) => {
        const response = await ports.fetch(target, { redirect: 'manual', signal: limited });
        await response.body?.cancel();
        return response;
      },
    );
    if (status >= 200 && status < 300) return true;
    ports.log.warn(`the heartbeat got status ${status}`, { status });
  } catch (error) {
    signal.throwIfAborted();
    ports.log.warn(`the heartbeat failed: ${wireCodeOf(error)}`);
  }
  return false;
}

/** `/fail` is appended to the path, before any query. */
function failAddress(url: string): string {
  const fail = new URL(url);
  fail.pathname = `${fail.pathname.replace(/\/$/, '')}/fail`;
  return fail.href;
}
