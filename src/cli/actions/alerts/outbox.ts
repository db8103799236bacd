import type { OutboxMessage } from '../../../alerting/outbox/outbox.ts';
import { outboxReport, type OutboxChannel } from '../../../engine/queries/outbox-report.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openSession } from '../../open-session.ts';
import { count, table } from '../../output/console.ts';
import { isoTime, listDocument } from '../../output/schema.ts';

export const showOutbox: Action = async (session) => {
  const { pipeline, clock } = await openSession(session, await configure(session));
  const { messages, channels } = await outboxReport(pipeline);
  return {
    exit: EXIT.done,
    document: { ...listDocument(messages.map(messageDocument)), channels: channels.map(channelDocument) },
    text: () => `${channelTable(channels)}\n${messageTable(messages, clock.nowMs())}`,
  };
};

const messageDocument = (message: OutboxMessage): object => ({
  id: message.id,
  channel: message.channel,
  fingerprint: message.fingerprint,
  level: message.level,
  kind: message.notification.kind,
  title: message.notification.title,
  attempts: message.attempts,
  created_at: isoTime(message.createdAtMs),
  error: message.lastError,
});

const channelDocument = ({ name, kind, isDefault, health }: OutboxChannel): object => ({
  name,
  kind,
  default: isDefault,
  state: health?.downSinceMs ? 'down' : 'up',
  down_since: isoTime(health?.downSinceMs ?? null),
  last_sent_at: isoTime(health?.lastSentAtMs ?? null),
  error: health?.lastError ?? null,
});

const channelTable = (channels: readonly OutboxChannel[]): string =>
  channels.length === 0
    ? 'no channel is configured: alerts are recorded and nobody is notified'
    : table(
        ['channel', 'kind', 'state', 'last sent', 'error'],
        channels.map(({ name, kind, health }) => [
          name,
          kind,
          health?.downSinceMs ? `down since ${isoTime(health.downSinceMs)}` : 'up',
          isoTime(health?.lastSentAtMs ?? null) ?? 'never',
          health?.lastError ?? '-',
        ]),
      );

function messageTable(messages: readonly OutboxMessage[], nowMs: number): string {
  if (messages.length === 0) return 'no message is pending';
  const rows = messages.map(({ channel, createdAtMs, attempts, notification, lastError }) => [
    channel,
    `${Math.round((nowMs - createdAtMs) / 1_000)} s`,
    attempts,
    notification.title,
    lastError ?? '-',
  ]);
  const head = ['channel', 'waits', 'attempts', 'title', 'error'];
  return `\n${count(messages.length, 'message')} pending\n${table(head, rows)}`;
}
