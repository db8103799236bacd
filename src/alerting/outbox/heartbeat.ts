import type { Clock } from '../../platform/ports/clock.ts';
import { withTimeLimit } from '../../platform/time-limit.ts';
import type { Log } from '../../platform/ports/log.ts';
import { SEND_MS_MAX } from '../channels/channel.ts';
import { wireCodeOf } from '../channels/http-channel.ts';

/** What decides whether this installation may call itself well. */
export interface HealthState {
  readonly nowMs: number;
  /** When the oldest undelivered message was written; null without one. */
  readonly outboxOldestAtMs: number | null;
  readonly channelsDown: number;
  readonly channelsTotal: number;
  /** Null when the last write to the store worked. */
  readonly storeError: string | null;
}

/** Alerts that wait for longer are not being delivered. Unit: milliseconds. */
const OUTBOX_LAG_MS_MAX = 300_000;

/** Why it is not well; empty when it is. */
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
 * Tells a dead man's switch (healthchecks.io's protocol) that a turn was made: GET of the address when
 * all is well, of `/fail` below it when not. Who hears neither knows that the process is gone. Never
 * fails the turn; false when it was not heard.
 */
export async function sendHeartbeat(
  ports: { readonly clock: Clock; readonly fetch: typeof globalThis.fetch; readonly log: Log },
  url: string,
  problems: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const timeoutError = (): Error =>
    Object.assign(new Error('the heartbeat was not answered in time'), { code: 'ETIMEDOUT' });
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
    ports.log.warn(`the heartbeat was answered ${status}`, { status });
  } catch (error) {
    signal.throwIfAborted();
    ports.log.warn(`the heartbeat was not heard: ${wireCodeOf(error)}`);
  }
  return false;
}

/** `/fail` belongs to the path, before any query. */
function failAddress(url: string): string {
  const fail = new URL(url);
  fail.pathname = `${fail.pathname.replace(/\/$/, '')}/fail`;
  return fail.href;
}
