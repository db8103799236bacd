import type { AlertLevel } from '../../errors/table.ts';
import { isFiring, type Alert } from '../model/alert.ts';
import type { Inhibition } from './inhibition.ts';
import { severityOf } from '../model/levels.ts';
import { routeOf, type ChannelEntry } from '../model/routing.ts';

/** The last thing a channel was told of a cause, or is about to be. */
export interface DeliveredNotification {
  readonly messageId: string;
  readonly kind: 'trigger' | 'resolve' | 'healed';
  readonly level: AlertLevel;
  readonly episode: number;
  /** `rerouted`: given up for another channel; it may have arrived all the same. `refused`: the channel does not take this message. */
  readonly state: 'pending' | 'sent' | 'rerouted' | 'refused';
  /** Sends that were begun. 0: nobody can have seen it. */
  readonly attempts: number;
  /** When it was sent, else when it was written. */
  readonly atMs: number;
}

export type PlannedNotification =
  | {
      readonly do: 'send';
      readonly channel: string;
      readonly kind: 'trigger' | 'resolve' | 'healed' | 'acknowledge';
      readonly level: AlertLevel;
    }
  | { readonly do: 'collapse'; readonly messageId: string };

export interface NotificationContext {
  readonly inhibition: Inhibition;
  readonly isSilenced: boolean;
  /** By channel; a channel that was never told is absent. */
  readonly delivered: ReadonlyMap<string, DeliveredNotification>;
  /** Channels that were told of this episode's acknowledgement. */
  readonly acknowledged: ReadonlySet<string>;
  /** How often the cause began to fire within the last hour. */
  readonly firingsInHour: number;
  readonly channels: readonly ChannelEntry[];
  readonly isUsable: (channel: string) => boolean;
  readonly nowMs: number;
  /** How long a cause that is not critical waits for its consequences, and for its own end. Unit: milliseconds. */
  readonly groupWaitMs: number;
  /** A cause that goes on and that nobody has acknowledged is told again after this time. Unit: milliseconds. */
  readonly repeatMs: number;
}

export interface NotificationPlan {
  readonly notifications: readonly PlannedNotification[];
  /** Nothing will have to be told of this episode any more. */
  readonly isSettled: boolean;
}

/** How far back firings are counted; a flapping cause is told resolved once it was quiet for so long. Unit: milliseconds. */
export const FLAPPING_WINDOW_MS = 3_600_000;

/**
 * What each channel still has to be told of one alert, found by comparing what is true with what it
 * was told last. Asked again after a crash or a failed send it gives what is missing, no more.
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

/** Only a pager does something with it: it stops calling people. */
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
  // What lies below a collapsed message shows only once it is gone: the plan is asked again then.
  if (unseen.length > 0)
    return { notifications: unseen.map(({ messageId }) => ({ do: 'collapse', messageId })), isSettled: false };
  // A cause that comes and goes is told once more when it has been quiet: at most four messages an hour.
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
