import type { Redact } from '../../platform/ports/redact.ts';
import { redacted } from '../../platform/redaction.ts';
import type { Operation } from '../../platform/ports/store.ts';
import { all, exec, first } from '../../platform/statements.ts';
import type { AlertLevel } from '../../errors/table.ts';
import {
  fingerprintOf,
  type Alert,
  type AlertCode,
  type AlertEvent,
  type AlertFacts,
  type Cause,
  type AlertScope,
} from './alert.ts';
import { audit } from './audit.ts';
import { severityOf, worseOf } from './levels.ts';

interface AlertRow {
  readonly fingerprint: string;
  readonly exchange: string | null;
  readonly code: AlertCode;
  readonly asset: string | null;
  readonly reach: AlertScope;
  readonly episode: number;
  readonly level: AlertLevel;
  readonly facts: string;
  readonly fired_at: number;
  readonly seen_at: number;
  readonly resolved_at: number | null;
  readonly resolution: string | null;
  readonly acked_by: string | null;
}

export interface AlertContext {
  readonly nowMs: number;
  readonly redact: Redact;
}

/**
 * Records one occurrence of a cause, in the transaction that writes its effects: both are stored or neither is. The
 * first occurrence begins an episode. Later ones update the facts and raise the level; they never lower it.
 * `planMessages` decides which channels are notified.
 */
export function* raiseAlert(event: AlertEvent, { nowMs, redact }: AlertContext): Operation<void> {
  const fingerprint = fingerprintOf(event);
  const { summary, safe, next, command, runId, affected, tags } = event;
  const facts = JSON.stringify(redacted<AlertFacts>({ summary, safe, next, command, runId, affected, tags }, redact));
  const known = yield* alertOf(fingerprint);
  if (known !== null && known.resolvedAtMs === null) {
    const level = worseOf(known.level, event.level);
    yield* exec(
      'update alerts set reach = $2, level = $3, facts = $4, seen_at = $5 where fingerprint = $1',
      fingerprint,
      event.scope,
      level,
      facts,
      nowMs,
    );
    if (severityOf(level) > severityOf(known.level))
      yield* audit({
        atMs: nowMs,
        fingerprint,
        action: 'worsened',
        actor: runId ?? 'candlekeep',
        detail: `${known.level} to ${level}`,
      });
    return;
  }
  yield* exec(
    `insert into alerts (fingerprint, exchange, code, asset, reach, episode, level, facts, fired_at, seen_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
     on conflict (fingerprint) do update set reach = excluded.reach, episode = excluded.episode, level = excluded.level,
       facts = excluded.facts, fired_at = excluded.fired_at, seen_at = excluded.seen_at,
       resolved_at = null, resolution = null, acked_by = null, settled_at = null`,
    fingerprint,
    event.exchange,
    event.code,
    event.asset,
    event.scope,
    (known?.episode ?? 0) + 1,
    event.level,
    facts,
    nowMs,
  );
  yield* audit({ atMs: nowMs, fingerprint, action: 'fired', actor: runId ?? 'candlekeep', detail: event.level });
}

/** Ends a cause; `resolution` says why, e.g. `healed by run_x on try 2 of 3`. Returns false when it did not fire. */
export function* resolveAlert(cause: Cause, resolution: string, { nowMs, redact }: AlertContext): Operation<boolean> {
  const fingerprint = fingerprintOf(cause);
  const known = yield* alertOf(fingerprint);
  if (known === null || known.resolvedAtMs !== null) return false;
  yield* exec(
    'update alerts set resolved_at = $2, resolution = $3 where fingerprint = $1',
    fingerprint,
    nowMs,
    redact(resolution),
  );
  yield* audit({ atMs: nowMs, fingerprint, action: 'resolved', actor: 'candlekeep', detail: redact(resolution) });
  return true;
}

/** Stops repeats and pages of an alert that a person works on. Returns false when it does not fire. */
export function* acknowledgeAlert(fingerprint: string, by: string, nowMs: number): Operation<boolean> {
  const known = yield* alertOf(fingerprint);
  if (known === null || known.resolvedAtMs !== null) return false;
  yield* exec('update alerts set acked_by = $2 where fingerprint = $1', fingerprint, by);
  yield* audit({ atMs: nowMs, fingerprint, action: 'acknowledged', actor: by, detail: `episode ${known.episode}` });
  return true;
}

function* alertOf(fingerprint: string): Operation<Alert | null> {
  const row = yield* first<AlertRow>('select * from alerts where fingerprint = $1', fingerprint);
  return row === null ? null : toAlert(row);
}

/** Firing alerts, oldest first. */
export function* firingAlerts(): Operation<readonly Alert[]> {
  return (yield* all<AlertRow>('select * from alerts where resolved_at is null order by fired_at, fingerprint')).map(
    toAlert,
  );
}

/** Alerts that may still need a notification, or that may explain another alert; oldest first. */
export function* openAlerts(resolvedSinceMs: number): Operation<readonly (Alert & { readonly isSettled: boolean })[]> {
  const rows = yield* all<AlertRow & { settled_at: number | null }>(
    'select * from alerts where settled_at is null or resolved_at >= $1 order by fired_at, fingerprint',
    resolvedSinceMs,
  );
  return rows.map((row) => ({ ...toAlert(row), isSettled: row.settled_at !== null }));
}

/** When the oldest alert that may still need a notification began to fire; null without one. */
export function* oldestUnsettledMs(): Operation<number | null> {
  return (
    (yield* first<{ fired_at: number | null }>('select min(fired_at) as fired_at from alerts where settled_at is null'))
      ?.fired_at ?? null
  );
}

export function* settleAlert(fingerprint: string, nowMs: number): Operation<void> {
  yield* exec('update alerts set settled_at = $2 where fingerprint = $1', fingerprint, nowMs);
}

/** Makes an alert need notifications again. */
export function* unsettleAlert(fingerprint: string): Operation<void> {
  yield* exec('update alerts set settled_at = null where fingerprint = $1', fingerprint);
}

const toAlert = (row: AlertRow): Alert => ({
  fingerprint: row.fingerprint,
  exchange: row.exchange,
  code: row.code,
  asset: row.asset,
  scope: row.reach,
  episode: row.episode,
  level: row.level,
  facts: JSON.parse(row.facts) as AlertFacts,
  firedAtMs: row.fired_at,
  seenAtMs: row.seen_at,
  resolvedAtMs: row.resolved_at,
  resolution: row.resolution,
  ackedBy: row.acked_by,
});
