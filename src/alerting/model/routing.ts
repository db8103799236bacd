import type { AlertLevel } from '../../errors/table.ts';

export type ChannelKind = 'pagerduty' | 'slack' | 'email' | 'webhook';

/** A configured channel, as far as routing needs to know it. */
export interface ChannelEntry {
  readonly name: string;
  readonly kind: ChannelKind;
  /** False: told only about alerts whose `alert_channel` tag names it. */
  readonly isDefault: boolean;
}

/** Which kinds a level is told to, and who stands in when one of them is down or not configured. */
const ROUTES: Readonly<
  Record<AlertLevel, { readonly notified: readonly ChannelKind[]; readonly fallbacks: readonly ChannelKind[] }>
> = {
  critical: { notified: ['pagerduty', 'slack', 'webhook'], fallbacks: ['email'] },
  error: { notified: ['email', 'slack', 'webhook'], fallbacks: ['pagerduty'] },
  warning: { notified: ['slack', 'webhook'], fallbacks: ['email'] }, // never a page
  info: { notified: [], fallbacks: [] }, // the log is enough
};

/** Names entries of `alerts.channels`, one or several with commas between. */
const CHANNEL_TAG = 'alert_channel';

export interface AlertRecipient {
  readonly level: AlertLevel;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * The channels that are told. A tagged entry takes the place of the default channel of its kind. A
 * channel that cannot be used is replaced by the first that can; if there is none it stays, and its
 * messages wait for its return.
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
  // Nobody is paged for what somebody else was told already.
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
