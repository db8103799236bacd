import { LEVELS, worseOf } from '../model/levels.ts';
import type { Dispatch } from '../channels/channel.ts';
import type { Notification } from './notification.ts';
import type { OutboxMessage } from '../outbox/outbox.ts';

/** The notification sent for these messages: their own if there is one, else a digest of all. */
export function dispatchOf([first, ...others]: readonly [OutboxMessage, ...OutboxMessage[]]): Dispatch {
  const { id, notification } = first;
  if (others.length === 0) return { id, dedupKey: dedupKeyOf(notification), notification };
  return {
    id,
    dedupKey: `candlekeep/${notification.instance}/digest/${id}`,
    notification: bundleOf(
      [first, ...others].map((message) => message.notification),
      notification,
    ),
  };
}

/** Names a cause at channels that several installations may share. */
const dedupKeyOf = ({ instance, fingerprint }: Notification): string => `candlekeep/${instance}/${fingerprint}`;

const isOver = ({ kind }: Notification): boolean => kind === 'resolve' || kind === 'healed';

function bundleOf(notifications: readonly Notification[], first: Notification): Notification {
  const open = notifications.filter((notification) => !isOver(notification));
  const level = open.reduce((worst, notification) => worseOf(worst, notification.level), LEVELS[0] ?? 'info');
  const counts = [
    ...(open.length > 0 ? [`${open.length} alerts`] : []),
    ...(open.length < notifications.length ? [`${notifications.length - open.length} over`] : []),
  ].join(', ');
  return {
    ...first,
    kind: open.length === 0 ? 'resolve' : 'digest',
    fingerprint: 'digest',
    code: null,
    exchange: null,
    asset: null,
    level,
    title: `[${open.length === 0 ? 'RESOLVED' : level.toUpperCase()}] ${counts} at once`,
    text: 'Many messages were waiting; this one replaces all of them, oldest first.',
    safe: 'each alert and what is safe about it: candlekeep alerts list',
    next: 'as each alert says',
    command: 'candlekeep alerts list',
    runId: null,
    affected: { total: 0, worst: [] },
    tags: {},
    lines: notifications.map((notification) => notification.title),
  };
}
