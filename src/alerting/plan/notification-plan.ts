import type { AlertLevel } from '../../errors/table.ts';
import { isFiring, type Alert } from '../model/alert.ts';
import type { Inhibition } from './inhibition.ts';
import { severityOf } from '../model/levels.ts';
import { routeOf, type ChannelEntry } from '../model/routing.ts';

/** The last notification about a cause that a channel got or is about to get. */
export interface DeliveredNotification {
  readonly messageId: string;
  /** `trigger`: the cause fires. `resolve`: it ended. `healed`: it ended before anybody was notified. */
  readonly kind: 'trigger' | 'resolve' | 'healed';
  readonly level: AlertLevel;
  /** One firing of the cause, from its start to its end. */
  readonly episode: number;
  /** `rerouted`: another channel was notified instead, though it may have arrived here. `refused`: not accepted. */
  readonly state: 'pending' | 'sent' | 'rerouted' | 'refused';
  /** Sends started. 0: it cannot have been seen. */
  readonly attempts: number;
  /** When it was sent; before that, when it was written. */
  readonly atMs: number;
}

export type PlannedNotification =
  | {
      readonly do: 'send';
      readonly channel: string;
      readonly kind: 'trigger' | 'resolve' | 'healed' | 'acknowledge';
      readonly level: AlertLevel;
    }
  /** Removes a message that was never sent, because its cause has ended. */
  | { readonly do: 'collapse'; readonly messageId: string };

export interface NotificationContext {
  readonly inhibition: Inhibition;
  readonly isSilenced: boolean;
  /** By channel; channels never notified are absent. */
  readonly delivered: ReadonlyMap<string, DeliveredNotification>;
  /** Channels that got this episode's acknowledgement. */
  readonly acknowledged: ReadonlySet<string>;
  /** How many times the cause began to fire within the last hour. */
  readonly firingsInHour: number;
  readonly channels: readonly ChannelEntry[];
  readonly isUsable: (channel: string) => boolean;
  readonly nowMs: number;
  /** How long a cause below critical waits for related alerts, or for its own end. Unit: milliseconds. */
  readonly groupWaitMs: number;
  /** A cause that still fires unacknowledged is sent again after this time. Unit: milliseconds. */
  readonly repeatMs: number;
}

export interface NotificationPlan {
  readonly notifications: readonly PlannedNotification[];
  /** True when this episode needs no further notification. */
  readonly isSettled: boolean;
}

/** A cause that fires twice within this time flaps: its end is sent once it fired less often. Unit: milliseconds. */
export const FLAPPING_WINDOW_MS = 3_600_000;

/**
 * The notifications that one alert still needs, found by comparing its state with what each channel got last. Called
 * again after a crash or a failed send, it returns only what is missing.
 */
export function planNotifications(alert: Alert, context: NotificationContext): NotificationPlan {
  return isFiring(alert)
    ? { notifications: [...triggers(alert, context), ...acknowledgements(alert, context)], isSettled: false }
    : planEnd(alert, context);
}

function triggers(alert: Alert, { inhibition, ...context }: NotificationContext): PlannedNotification[] {
  const isWaiting = inhibition.level !== 'critical' && context.nowMs < alert.firedAtMs + context.groupWaitMs;
  if (inhibition.hiddenBy !== null || context.isSilenced || isWaiting) return [];
  const recipient = { level: inhibition.level, tags: alert.facts.tags };
  const isRefused = (name: string): boolean =>
    context.delivered.get(name)?.state === 'refused' && context.delivered.get(name)?.episode === alert.episode;
  return routeOf(recipient, context.channels, (name) => context.isUsable(name) && !isRefused(name)).flatMap(
    ({ name }): PlannedNotification[] => {
      const delivered = context.delivered.get(name);
      const isUpToDate =
        delivered?.kind === 'trigger' &&
        delivered.state !== 'rerouted' &&
        severityOf(delivered.level) >= severityOf(inhibition.level);
      const isRepeatDue =
        delivered?.state === 'sent' && alert.ackedBy === null && context.nowMs >= delivered.atMs + context.repeatMs;
      return isUpToDate && !isRepeatDue
        ? []
        : [{ do: 'send', channel: name, kind: 'trigger', level: inhibition.level }];
    },
  );
}

/** Only a pager uses an acknowledgement: it stops calling people. */
function acknowledgements(
  alert: Alert,
  { channels, delivered, acknowledged }: NotificationContext,
): PlannedNotification[] {
  if (alert.ackedBy === null) return [];
  return channels
    .filter(
      ({ name, kind }) => kind === 'pagerduty' && delivered.get(name)?.kind === 'trigger' && !acknowledged.has(name),
    )
    .map(({ name }) => ({ do: 'send', channel: name, kind: 'acknowledge', level: alert.level }));
}

function planEnd(alert: Alert, context: NotificationContext): NotificationPlan {
  const { delivered, channels, inhibition } = context;
  const open = channels.flatMap(({ name }) => {
    const last = delivered.get(name);
    return last?.kind === 'trigger' ? [{ ...last, channel: name }] : [];
  });
  const unseen = open.filter(({ state, attempts }) => state === 'pending' && attempts === 0);
  // Removing a collapsed message uncovers the one before it: the caller plans again.
  if (unseen.length > 0)
    return { notifications: unseen.map(({ messageId }) => ({ do: 'collapse', messageId })), isSettled: false };
  // A flapping cause gets its end only after a quiet hour. That makes at most four messages in an hour: the end after
  // the quiet hour, a trigger, its end, and the trigger that shows that it flaps.
  if (context.firingsInHour > 1) return { notifications: [], isSettled: false };
  const resolves = open.map(
    ({ channel, level }): PlannedNotification => ({ do: 'send', channel, kind: 'resolve', level }),
  );
  const wasNotified = [...delivered.values()].some(
    ({ kind, episode, state }) => state !== 'rerouted' && (kind === 'trigger' || episode === alert.episode),
  );
  const isSuppressed = inhibition.hiddenBy !== null || context.isSilenced || alert.level === 'info';
  if (wasNotified || isSuppressed) return { notifications: resolves, isSettled: true };
  const healed = routeOf({ level: 'warning', tags: alert.facts.tags }, channels, context.isUsable).map(
    ({ name }): PlannedNotification => ({ do: 'send', channel: name, kind: 'healed', level: alert.level }),
  );
  return { notifications: healed, isSettled: true };
}
