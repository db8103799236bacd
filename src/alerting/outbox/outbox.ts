import type { Processes } from '../../platform/ports/processes.ts';
import type { Operation } from '../../platform/ports/store.ts';
import { all, exec, first } from '../../platform/statements.ts';
import { takeLeases } from '../../state/leases.ts';
import { addCounts } from '../../metrics/values.ts';
import type { AlertChannelError } from '../../errors/errors.ts';
import type { AlertLevel } from '../../errors/table.ts';
import type { AlertEvent, Cause } from '../model/alert.ts';
import { raiseAlert, resolveAlert, type AlertContext } from '../model/alerts.ts';
import { audit, nextSequence } from '../model/audit.ts';
import { afterFailure, afterSuccess, type ChannelHealth } from './channel-health.ts';
import { healthOf, writeHealth } from './channel-records.ts';
import { durationText, type Notification } from '../plan/notification.ts';

export type MessageState = 'pending' | 'sent' | 'collapsed' | 'rerouted' | 'refused' | 'dropped';

/** One notification for one channel, sent in the order of `sequence`. */
export interface OutboxMessage {
  /** The same for every send, so that a receiver can drop duplicates. */
  readonly id: string;
  readonly sequence: number;
  readonly fingerprint: string;
  readonly episode: number;
  readonly channel: string;
  readonly level: AlertLevel;
  readonly notification: Notification;
  readonly state: MessageState;
  /** Sends started. */
  readonly attempts: number;
  readonly createdAtMs: number;
  readonly lastError: string | null;
}

interface MessageRow {
  readonly sequence: number;
  readonly id: string;
  readonly fingerprint: string;
  readonly episode: number;
  readonly channel: string;
  readonly kind: string;
  readonly level: AlertLevel;
  readonly notice: string;
  readonly state: MessageState;
  readonly attempts: number;
  readonly created_at: number;
  readonly last_error: string | null;
}

export function* enqueue(
  {
    notification,
    channel,
    episode,
  }: { readonly notification: Notification; readonly channel: string; readonly episode: number },
  nowMs: number,
): Operation<void> {
  const sequence = yield* nextSequence('alert_messages');
  yield* exec(
    `insert into alert_messages (sequence, id, fingerprint, episode, channel, kind, level, notice, state, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9)`,
    sequence,
    `msg_${nowMs.toString(36)}_${sequence}`,
    notification.fingerprint,
    episode,
    channel,
    notification.kind,
    notification.level,
    JSON.stringify(notification),
    nowMs,
  );
}

/** From this many waiting messages on, they are sent as one. A message is never sent before an older one. */
const BUNDLE_MIN = 6;
export const BUNDLE_MAX = 50;

export interface Claim {
  readonly channel: string;
  /** True where several messages may be sent as one. */
  readonly bundles: boolean;
  /** The delivering process; the same for all claims until `releaseLeases`. */
  readonly owner: string;
  readonly nowMs: number;
}

export interface Claimed {
  readonly messages: readonly OutboxMessage[];
  /** When the channel accepts the next message; null when none is waiting or another process delivers. */
  readonly againAtMs: number | null;
}

const NOTHING: Claimed = { messages: [], againAtMs: null };

/**
 * Claims the messages that a channel gets next. Only one process at a time delivers to a channel, which keeps its order
 * and pace. A process that dies loses the channel immediately, one that hangs when its lease expires; its messages are
 * sent again under the same id.
 */
export function* claimMessages({ channel, bundles, owner, nowMs }: Claim, processes: Processes): Operation<Claimed> {
  const waiting = (yield* all<MessageRow>(
    `select * from alert_messages where channel = $1 and state = 'pending' order by sequence limit $2`,
    channel,
    BUNDLE_MAX,
  )).map(toMessage);
  const [oldest] = waiting;
  if (oldest === undefined) return NOTHING;
  const { notBeforeMs } = yield* healthOf(channel);
  if (notBeforeMs > nowMs) return { messages: [], againAtMs: notBeforeMs };
  const { granted } = yield* takeLeases({ names: [`alerts to ${channel}`], owner, nowMs }, processes);
  if (granted.length === 0) return NOTHING;
  // A message that failed before is sent alone: it may be the one that the channel refuses.
  const messages = bundles && oldest.attempts === 0 && waiting.length >= BUNDLE_MIN ? waiting : [oldest];
  for (const { sequence } of messages)
    yield* exec('update alert_messages set attempts = attempts + 1 where sequence = $1', sequence);
  return { messages, againAtMs: nowMs };
}

export interface Sending {
  readonly channel: string;
  readonly messages: readonly OutboxMessage[];
}

/** Records that the channel accepted the messages. */
export function* recordSent({ channel, messages }: Sending, paceMs: number, moment: AlertContext): Operation<void> {
  const { nowMs } = moment;
  for (const { sequence, id, fingerprint, notification } of messages) {
    yield* endMessage(sequence, 'sent', nowMs);
    yield* audit({ atMs: nowMs, fingerprint, action: 'sent', actor: channel, detail: `${id} ${notification.kind}` });
  }
  yield* countDelivery(channel, 'sent');
  const health = yield* healthOf(channel);
  yield* writeHealth(channel, afterSuccess({ nowMs, paceMs }));
  yield* resolveAlert(
    brokenCause(channel),
    health.failingSinceMs === null
      ? `${channel} accepts messages again`
      : `${channel} accepts messages again after ${durationText(nowMs - health.failingSinceMs)}`,
    moment,
  );
}

/** Records a failed send. The messages stay pending, except a single one that the channel refuses. */
export function* recordFailure(
  { channel, messages }: Sending,
  error: AlertChannelError,
  moment: AlertContext & { readonly chance: number },
): Operation<void> {
  const { nowMs, redact } = moment;
  const detail = redact(error.message);
  const isRefused = error.facts.failure === 'refused';
  const isFinal = isRefused && messages.length === 1;
  for (const { sequence, fingerprint } of messages) {
    yield* exec('update alert_messages set last_error = $2 where sequence = $1', sequence, detail);
    if (isFinal) yield* endMessage(sequence, 'refused', nowMs);
    yield* audit({ atMs: nowMs, fingerprint, action: isRefused ? 'refused' : 'failed', actor: channel, detail });
  }
  yield* countDelivery(channel, isRefused ? 'refused' : 'failed');
  const before = yield* healthOf(channel);
  const health: ChannelHealth = isRefused
    ? { ...before, lastError: detail }
    : { ...afterFailure(before, error, moment), lastError: detail };
  yield* writeHealth(channel, health);
  if (isFinal || health.downSinceMs !== null) yield* raiseAlert(brokenEvent(channel, detail, health), moment);
}

const countDelivery = (channel: string, outcome: 'sent' | 'failed' | 'refused'): Operation<void> =>
  addCounts([{ name: 'pipeline_alert_deliveries_total', labels: { channel, outcome }, value: 1 }]);

const brokenCause = (channel: string): Cause => ({ exchange: null, code: 'ALERT_CHANNEL_BROKEN', asset: channel });

const brokenEvent = (channel: string, error: string, health: ChannelHealth): AlertEvent => ({
  ...brokenCause(channel),
  scope: 'asset',
  level: 'error',
  summary: `the alert channel ${channel} does not deliver: ${error}`,
  safe: 'no alert is lost: another channel gets it, or it waits in the store',
  next: `tried again at ${new Date(health.notBeforeMs).toISOString().slice(0, 19)}Z`,
  command: `candlekeep alerts test --channel ${channel}`,
  runId: null,
  affected: { total: 0, worst: [] },
  tags: {},
});

export function* endMessage(sequence: number, state: Exclude<MessageState, 'pending'>, nowMs: number): Operation<void> {
  yield* exec('update alert_messages set state = $2, ended_at = $3 where sequence = $1', sequence, state, nowMs);
}

/** All messages about one cause, oldest first. */
export function* messagesOf(fingerprint: string, limit: number): Operation<readonly OutboxMessage[]> {
  return (yield* all<MessageRow>(
    'select * from alert_messages where fingerprint = $1 order by sequence limit $2',
    fingerprint,
    limit,
  )).map(toMessage);
}

/** Pending messages, oldest first. */
export function* pendingMessages(limit: number): Operation<readonly OutboxMessage[]> {
  return (yield* all<MessageRow>(
    `select * from alert_messages where state = 'pending' order by sequence limit $1`,
    limit,
  )).map(toMessage);
}

/** `refused`: messages that their channel refuses. `all-down`: also all pending ones, as no channel is usable. */
export type Undeliverable = 'refused' | 'all-down';

/** Messages not yet marked by `markUndelivered`. */
export function* undeliverableMessages(which: Undeliverable, limit: number): Operation<readonly OutboxMessage[]> {
  const rows = yield* all<MessageRow>(
    `select * from alert_messages where escaped_at is null and state in ('refused', $1) order by sequence limit $2`,
    which === 'all-down' ? 'pending' : 'refused',
    limit,
  );
  return rows.map(toMessage);
}

export function* markUndelivered(messages: readonly OutboxMessage[], nowMs: number): Operation<void> {
  for (const { sequence, fingerprint, channel } of messages) {
    yield* exec('update alert_messages set escaped_at = $2 where sequence = $1', sequence, nowMs);
    yield* audit({
      atMs: nowMs,
      fingerprint,
      action: 'escaped',
      actor: channel,
      detail: 'written to undelivered.jsonl',
    });
  }
}

export interface OutboxState {
  readonly pending: number;
  /** When the oldest pending message was written; null without one. */
  readonly oldestAtMs: number | null;
}

export function* outboxState(): Operation<OutboxState> {
  const row = yield* first<{ pending: number; oldest: number | null }>(
    `select count(*) as pending, min(created_at) as oldest from alert_messages where state = 'pending'`,
  );
  return { pending: row?.pending ?? 0, oldestAtMs: row?.oldest ?? null };
}

/** When the next message may be sent; null when none is waiting. */
export function* nextSendAtMs(): Operation<number | null> {
  const row = yield* first<{ next: number | null }>(
    `select min(coalesce(alert_channels.not_before, 0)) as next
     from alert_messages left join alert_channels on alert_channels.name = alert_messages.channel
     where alert_messages.state = 'pending'`,
  );
  return row?.next ?? null;
}

const toMessage = (row: MessageRow): OutboxMessage => ({
  id: row.id,
  sequence: row.sequence,
  fingerprint: row.fingerprint,
  episode: row.episode,
  channel: row.channel,
  level: row.level,
  notification: JSON.parse(row.notice) as Notification,
  state: row.state,
  attempts: row.attempts,
  createdAtMs: row.created_at,
  lastError: row.last_error,
});
