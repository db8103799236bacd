import type { Operation } from '../../platform/ports/store.ts';
import { all, first } from '../../platform/statements.ts';
import { DAY_MS } from '../../domain/interval.ts';
import { dayOf, dayStartMs } from '../../domain/partition.ts';
import type { Notification, NotificationSource } from './notification.ts';
import { enqueue } from '../outbox/outbox.ts';
import type { AlertPolicy } from './outbox-plan.ts';
import { routeOf } from '../model/routing.ts';

/** Time of the daily digest after midnight UTC. Unit: milliseconds. */
const DIGEST_AT_MS = 9 * 3_600_000;
const LINES_MAX = 40;

/** One cause within a day. */
export interface DigestEntry {
  readonly fingerprint: string;
  readonly began: number;
  readonly isFiring: boolean;
}

/**
 * Writes one message a day, after 09:00 UTC, about every cause that began since the day before. It makes visible how
 * many warnings healed by themselves. No message when nothing began. Only the daemon writes it; commands do not.
 */
export function* writeDigest(policy: AlertPolicy, nowMs: number): Operation<void> {
  const endMs = latestDigestMs(nowMs);
  const fingerprint = `digest/${dayOf(endMs)}`;
  if ((yield* first('select id from alert_messages where fingerprint = $1 limit 1', fingerprint)) !== null) return;
  const rows = yield* all<{ fingerprint: string; began: number; resolved_at: number | null }>(
    `select alert_log.fingerprint as fingerprint, count(*) as began, max(alerts.resolved_at) as resolved_at
     from alert_log join alerts on alerts.fingerprint = alert_log.fingerprint
     where action = 'fired' and at >= $1 and at < $2
     group by alert_log.fingerprint order by count(*) desc, alert_log.fingerprint`,
    endMs - DAY_MS,
    endMs,
  );
  if (rows.length === 0) return;
  const notification = digestOf(
    rows.map(({ resolved_at, ...row }) => ({ ...row, isFiring: resolved_at === null })),
    { fingerprint, endMs },
    policy,
  );
  for (const { name } of routeOf({ level: 'warning', tags: {} }, policy.channels, () => true))
    yield* enqueue({ notification, channel: name, episode: 1 }, nowMs);
}

/** The latest digest time not after `nowMs`. */
export function latestDigestMs(nowMs: number): number {
  const todayMs = dayStartMs(dayOf(nowMs)) + DIGEST_AT_MS;
  return todayMs <= nowMs ? todayMs : todayMs - DAY_MS;
}

export function digestOf(
  entries: readonly DigestEntry[],
  of: { readonly fingerprint: string; readonly endMs: number },
  source: NotificationSource,
): Notification {
  const stillFiring = entries.filter(({ isFiring }) => isFiring).length;
  const began = entries.reduce((sum, entry) => sum + entry.began, 0);
  const alerts = `${began} ${began === 1 ? 'alert' : 'alerts'}`;
  const end = `${new Date(of.endMs).toISOString().slice(0, 16)}Z`;
  const shown = entries
    .slice(0, LINES_MAX)
    .map(
      ({ fingerprint, began: times, isFiring }) =>
        `${fingerprint}: ${times} ${times === 1 ? 'time' : 'times'}, ${isFiring ? 'firing' : 'over'}`,
    );
  return {
    kind: 'digest',
    instance: source.instance,
    fingerprint: of.fingerprint,
    code: null,
    exchange: null,
    asset: null,
    level: 'info',
    title: `[INFO] The day until ${end}: ${alerts}, ${stillFiring} of ${entries.length} causes still firing`,
    text: 'Every cause that began to fire within a day, most frequent first.',
    safe: 'causes that are over healed by themselves; those still firing were sent when they began',
    next: 'the next digest comes in a day',
    command: 'candlekeep alerts list',
    runId: null,
    affected: { total: 0, worst: [] },
    tags: {},
    firedAtMs: of.endMs - DAY_MS,
    atMs: of.endMs,
    runbook: source.runbookUrl ?? 'docs/runbook',
    lines: [...shown, ...(entries.length > LINES_MAX ? [`and ${entries.length - LINES_MAX} more`] : [])],
  };
}
