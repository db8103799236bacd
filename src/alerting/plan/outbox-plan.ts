import type { Operation } from '../../platform/ports/store.ts';
import { all, exec } from '../../platform/statements.ts';
import type { AlertLevel } from '../../errors/table.ts';
import type { Alert } from '../model/alert.ts';
import { oldestUnsettledMs, openAlerts, settleAlert, unsettleAlert } from '../model/alerts.ts';
import { audit, countFirings } from '../model/audit.ts';
import { isUsable as isUsableNow } from '../outbox/channel-health.ts';
import { allHealth } from '../outbox/channel-records.ts';
import { CONSEQUENCES_LAST_MS, inhibitionsOf, type Inhibition } from './inhibition.ts';
import {
  notificationOf,
  type Notification,
  type NotificationKind,
  type NotificationSource,
  type NotificationOccasion,
} from './notification.ts';
import { endMessage, enqueue } from '../outbox/outbox.ts';
import { routeOf, type ChannelEntry } from '../model/routing.ts';
import { silences, silencesInForce } from '../model/silences.ts';
import {
  FLAPPING_WINDOW_MS,
  planNotifications,
  type PlannedNotification,
  type DeliveredNotification,
} from './notification-plan.ts';

/** The configured rules of notification. */
export interface AlertPolicy extends NotificationSource {
  readonly channels: readonly ChannelEntry[];
  /** How long a cause below critical waits for related alerts, or for its own end. Unit: milliseconds. */
  readonly groupWaitMs: number;
  /** A cause that still fires is sent again after this time, under the same key. Unit: milliseconds. */
  readonly repeatMs: number;
}

/** Short enough that, after a channel hangs three times for ten seconds, the next one is notified within a minute. */
export const GROUP_WAIT_MS = 20_000;
export const REPEAT_MS = 14_400_000;

interface Planning {
  readonly policy: AlertPolicy;
  readonly isUsable: (channel: string) => boolean;
  readonly nowMs: number;
}

/**
 * Writes the notifications that are due to the outbox. It compares the alerts with the messages written so far, so it
 * may be called at any time, by any process, after any crash.
 */
export function* planMessages(policy: AlertPolicy, nowMs: number): Operation<void> {
  const healths = yield* allHealth();
  const isUsable = (channel: string): boolean => {
    const health = healths.get(channel);
    return health === undefined || isUsableNow(health, nowMs);
  };
  const planning: Planning = { policy, isUsable, nowMs };
  yield* giveUpUnreachable(planning);
  const alerts = yield* openAlerts(Math.min(nowMs, (yield* oldestUnsettledMs()) ?? nowMs) - CONSEQUENCES_LAST_MS);
  const inForce = yield* silencesInForce(nowMs);
  const isSilenced = (alert: Alert): boolean => inForce.some((silence) => silences(silence, alert));
  const inhibitions = inhibitionsOf(alerts, isSilenced, nowMs);
  for (const alert of alerts) {
    if (!alert.isSettled)
      yield* planAlert(planning, alert, {
        inhibition: inhibitions.get(alert.fingerprint) ?? { hiddenBy: null, level: alert.level, explains: [] },
        isSilenced: isSilenced(alert),
      });
  }
}

/**
 * Withdraws messages to a channel that is down, where another channel is usable, and to one that is no longer
 * configured. The end of an alert waits for the channel that got its beginning.
 */
function* giveUpUnreachable({ policy, isUsable, nowMs }: Planning): Operation<void> {
  const rows = yield* all<{
    sequence: number;
    fingerprint: string;
    channel: string;
    kind: NotificationKind;
    level: AlertLevel;
    notice: string;
  }>(
    `select sequence, fingerprint, channel, kind, level, notice from alert_messages
     where state = 'pending' order by sequence`,
  );
  const givenUp = new Set<string>();
  for (const { sequence, fingerprint, channel, kind, level, notice } of rows) {
    const isConfigured = policy.channels.some(({ name }) => name === channel);
    const isBeginning = kind === 'trigger' || kind === 'healed';
    if (isConfigured && (isUsable(channel) || !(isBeginning || givenUp.has(`${channel} ${fingerprint}`)))) continue;
    const recipient = {
      level: kind === 'healed' ? 'warning' : level,
      tags: (JSON.parse(notice) as Notification).tags,
    } as const;
    if (isConfigured && !routeOf(recipient, policy.channels, isUsable).some(({ name }) => isUsable(name))) continue;
    if (isBeginning) givenUp.add(`${channel} ${fingerprint}`);
    const action = isConfigured ? 'rerouted' : 'dropped';
    yield* endMessage(sequence, action, nowMs);
    yield* unsettleAlert(fingerprint);
    yield* audit({
      atMs: nowMs,
      fingerprint,
      action,
      actor: channel,
      detail: isConfigured ? 'the channel is down' : 'the channel is no longer configured',
    });
  }
}

/** A collapsed message uncovers at most one older message of its channel. */
const PASSES_MAX = 3;

function* planAlert(
  { policy, isUsable, nowMs }: Planning,
  alert: Alert,
  context: { readonly inhibition: Inhibition; readonly isSilenced: boolean },
): Operation<void> {
  const firingsInHour = yield* countFirings(alert.fingerprint, nowMs - FLAPPING_WINDOW_MS);
  const acknowledged = alert.ackedBy === null ? new Set<string>() : yield* acknowledgedChannels(alert);
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const delivered = yield* lastNotifications(alert.fingerprint);
    const plan = planNotifications(alert, {
      ...policy,
      ...context,
      delivered,
      acknowledged,
      firingsInHour,
      isUsable,
      nowMs,
    });
    for (const planned of plan.notifications)
      yield* apply(planned, alert, { policy, firingsInHour, explains: context.inhibition.explains, nowMs });
    if (plan.isSettled) yield* settleAlert(alert.fingerprint, nowMs);
    if (!plan.notifications.some((planned) => planned.do === 'collapse')) return;
  }
}

function* apply(
  planned: PlannedNotification,
  alert: Alert,
  {
    policy,
    nowMs,
    ...about
  }: Pick<NotificationOccasion, 'firingsInHour' | 'explains' | 'nowMs'> & { readonly policy: AlertPolicy },
): Operation<void> {
  if (planned.do === 'collapse') {
    yield* exec(`update alert_messages set state = 'collapsed', ended_at = $2 where id = $1`, planned.messageId, nowMs);
    yield* audit({
      atMs: nowMs,
      fingerprint: alert.fingerprint,
      action: 'collapsed',
      actor: 'candlekeep',
      detail: `${planned.messageId}: over before it was sent`,
    });
    return;
  }
  const notification = notificationOf(alert, { ...about, kind: planned.kind, level: planned.level, nowMs }, policy);
  yield* enqueue({ notification, channel: planned.channel, episode: alert.episode }, nowMs);
}

interface DeliveredRow {
  readonly id: string;
  readonly channel: string;
  readonly kind: DeliveredNotification['kind'];
  readonly level: AlertLevel;
  readonly episode: number;
  readonly state: DeliveredNotification['state'];
  readonly attempts: number;
  readonly created_at: number;
  readonly ended_at: number | null;
}

/** The last message about a cause at each channel, of those that were or may still be seen. */
function* lastNotifications(fingerprint: string): Operation<ReadonlyMap<string, DeliveredNotification>> {
  const rows = yield* all<DeliveredRow>(
    `select id, channel, kind, level, episode, state, attempts, created_at, ended_at from alert_messages
     where sequence in (
       select max(sequence) from alert_messages
       where fingerprint = $1 and kind in ('trigger', 'resolve', 'healed')
         and (state in ('pending', 'sent', 'refused') or (state = 'rerouted' and attempts > 0))
       group by channel)`,
    fingerprint,
  );
  return new Map(
    rows.map(({ id, channel, created_at, ended_at, ...row }) => [
      channel,
      { ...row, messageId: id, atMs: ended_at ?? created_at },
    ]),
  );
}

function* acknowledgedChannels({ fingerprint, episode }: Alert): Operation<ReadonlySet<string>> {
  const rows = yield* all<{ channel: string }>(
    `select channel from alert_messages where fingerprint = $1 and episode = $2 and kind = 'acknowledge'`,
    fingerprint,
    episode,
  );
  return new Set(rows.map(({ channel }) => channel));
}
