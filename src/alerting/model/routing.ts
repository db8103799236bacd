import type { AlertLevel } from '../../errors/table.ts';

export type ChannelKind = 'pagerduty' | 'slack' | 'email' | 'webhook';

/** The part of a configured channel that routing needs. */
export interface ChannelEntry {
  readonly name: string;
  readonly kind: ChannelKind;
  /** False: gets only the alerts whose `alert_channel` tag names it. */
  readonly isDefault: boolean;
}

/** The kinds of channel that a level goes to, and the fallbacks when one of them is down or not configured. */
const ROUTES: Readonly<
  Record<AlertLevel, { readonly notified: readonly ChannelKind[]; readonly fallbacks: readonly ChannelKind[] }>
> = {
  critical: { notified: ['pagerduty', 'slack', 'webhook'], fallbacks: ['email'] },
  error: { notified: ['email', 'slack', 'webhook'], fallbacks: ['pagerduty'] },
  warning: { notified: ['slack', 'webhook'], fallbacks: ['email'] }, // never a page
  info: { notified: [], fallbacks: [] }, // the log is enough
};

/** Names entries of `alerts.channels`, separated by commas. */
const CHANNEL_TAG = 'alert_channel';

export interface AlertRecipient {
  readonly level: AlertLevel;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * The channels that are notified. A tagged entry replaces the default channel of its kind. A channel that is down is
 * replaced by the first usable one; if there is none, it stays in the list and its messages wait.
 */
export function routeOf(
  to: AlertRecipient,
  channels: readonly ChannelEntry[],
  isUsable: (name: string) => boolean,
): ChannelEntry[] {
  const { notified, fallbacks } = ROUTES[to.level];
  const own = notified.flatMap((kind) => channelsOfKind(kind, to, channels));
  const candidates = [...own, ...fallbacks.flatMap((kind) => channelsOfKind(kind, to, channels))];
  const wanted = own.length > 0 ? own : candidates.slice(0, 1);
  const reached = wanted.filter((channel) => isUsable(channel.name));
  if (reached.length === wanted.length) return wanted;
  // A pager is no fallback when another channel is notified already.
  const fallback = candidates.find(
    (channel) =>
      isUsable(channel.name) && !wanted.includes(channel) && (channel.kind !== 'pagerduty' || reached.length === 0),
  );
  if (fallback !== undefined) return [...reached, fallback];
  return reached.length > 0 ? reached : wanted;
}

function channelsOfKind(
  kind: ChannelKind,
  { tags }: AlertRecipient,
  channels: readonly ChannelEntry[],
): ChannelEntry[] {
  const ofKind = channels.filter((channel) => channel.kind === kind);
  const named = (tags[CHANNEL_TAG] ?? '').split(',').map((name) => name.trim());
  const tagged = ofKind.filter((channel) => named.includes(channel.name));
  return tagged.length > 0 ? tagged : ofKind.filter((channel) => channel.isDefault);
}
