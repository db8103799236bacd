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
 * A cause was met: in the transaction that writes what it did, so that neither is there without the
 * other. The first time begins an episode; after that it is the same alert with newer facts and, if it
 * grew, a worse level. What channels are told of it is planned by `planMessages`.
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
    `insert into alerts (fingerprint, exchange, code, asset, reach, episode, level, facts, fired_at, seen_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
     on conflict (fingerprint) do update set reach = excluded.reach, episode = excluded.episode, level = excluded.level, facts = excluded.facts,
       fired_at = excluded.fired_at, seen_at = excluded.seen_at, resolved_at = null, resolution = null, acked_by = null, settled_at = null`,
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

/** The cause is gone: `resolution` says why, as in `healed by run_x on try 2 of 3`. False when it did not fire. */
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

/** Somebody is on it: it is not repeated any more, and pagers stop calling. False when it does not fire. */
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

/** What fires now, oldest first. */
export function* firingAlerts(): Operation<readonly Alert[]> {
  return (yield* all<AlertRow>('select * from alerts where resolved_at is null order by fired_at, fingerprint')).map(
    toAlert,
  );
}

/** Whatever a channel may still have to be told of, or that may say why another fires; oldest first. */
export function* openAlerts(resolvedSinceMs: number): Operation<readonly (Alert & { readonly isSettled: boolean })[]> {
  const rows = yield* all<AlertRow & { settled_at: number | null }>(
    'select * from alerts where settled_at is null or resolved_at >= $1 order by fired_at, fingerprint',
    resolvedSinceMs,
  );
  return rows.map((row) => ({ ...toAlert(row), isSettled: row.settled_at !== null }));
}

/** When the oldest began to fire of what a channel may still have to be told of; null without any. */
export function* oldestUnsettledMs(): Operation<number | null> {
  return (
    (yield* first<{ fired_at: number | null }>('select min(fired_at) as fired_at from alerts where settled_at is null'))
      ?.fired_at ?? null
  );
}

export function* settleAlert(fingerprint: string, nowMs: number): Operation<void> {
  yield* exec('update alerts set settled_at = $2 where fingerprint = $1', fingerprint, nowMs);
}

/** Something of it has to be told after all. */
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
