import type { Operation } from '../../platform/ports/store.ts';
import type { AlertLevel } from '../../errors/table.ts';
import { healthOf, writeHealth } from './channel-records.ts';
import type { Notification, NotificationSource } from '../plan/notification.ts';
import { enqueue } from './outbox.ts';

export interface TestMessageRequest {
  readonly channel: string;
  readonly level: AlertLevel;
  readonly nowMs: number;
}

/**
 * Writes a test alert and its end for one channel to the outbox. They are delivered like every other alert; the backoff
 * of a broken channel is reset. Returns the fingerprint under which `messagesOf` finds them.
 */
export function* enqueueTest(
  { channel, level, nowMs }: TestMessageRequest,
  source: NotificationSource,
): Operation<string> {
  const fingerprint = `test/${channel}/${nowMs}`;
  const notification: Notification = {
    kind: 'trigger',
    instance: source.instance,
    fingerprint,
    code: null,
    exchange: null,
    asset: null,
    level,
    title: `[${level.toUpperCase()}] Test of the channel ${channel}`,
    text: 'This message was requested with candlekeep alerts test. Nothing is wrong.',
    safe: 'everything',
    next: 'its end follows immediately',
    command: 'candlekeep alerts list',
    runId: null,
    affected: { total: 0, worst: [] },
    tags: {},
    firedAtMs: nowMs,
    atMs: nowMs,
    runbook: source.runbookUrl ?? 'docs/runbook',
    lines: [],
  };
  yield* enqueue({ notification, channel, episode: 1 }, nowMs);
  yield* enqueue(
    {
      notification: {
        ...notification,
        kind: 'resolve',
        title: `[RESOLVED] Test of the channel ${channel}`,
        next: 'nothing is left to do',
      },
      channel,
      episode: 1,
    },
    nowMs,
  );
  yield* writeHealth(channel, { ...(yield* healthOf(channel)), notBeforeMs: nowMs });
  return fingerprint;
}
