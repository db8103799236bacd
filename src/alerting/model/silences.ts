import type { Operation } from '../../platform/ports/store.ts';
import { all, exec, first } from '../../platform/statements.ts';
import type { Alert } from './alert.ts';
import { audit } from './audit.ts';

/** Mutes matching alerts until it expires. A null field matches everything; at least one field is not null. */
export interface Silence {
  readonly id: string;
  readonly exchange: string | null;
  readonly code: string | null;
  readonly asset: string | null;
  readonly author: string;
  readonly reason: string;
  readonly createdAtMs: number;
  /** Every silence ends. */
  readonly expiresAtMs: number;
}

/** Longer than any maintenance, and short enough that a forgotten silence ends. Unit: milliseconds. */
export const SILENCE_MS_MAX = 30 * 86_400_000;

/** @throws RangeError for a silence that matches everything or lasts over 30 days; callers check user input. */
export function* addSilence(silence: Silence): Operation<void> {
  const spanMs = silence.expiresAtMs - silence.createdAtMs;
  if (silence.exchange === null && silence.code === null && silence.asset === null)
    throw new RangeError('a silence names an exchange, a code or an asset');
  if (spanMs <= 0 || spanMs > SILENCE_MS_MAX) throw new RangeError('a silence ends within 30 days');
  yield* exec(
    `insert into alert_silences (id, exchange, code, asset, author, reason, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    silence.id,
    silence.exchange,
    silence.code,
    silence.asset,
    silence.author,
    silence.reason,
    silence.createdAtMs,
    silence.expiresAtMs,
  );
  yield* audit({
    atMs: silence.createdAtMs,
    fingerprint: null,
    action: 'silenced',
    actor: silence.author,
    detail: `${silence.id}: ${silence.reason}`,
  });
}

/** Ends a silence early. Returns false when no silence with this id is in force. */
export function* endSilence(id: string, by: string, nowMs: number): Operation<boolean> {
  const row = yield* first('select id from alert_silences where id = $1 and expires_at > $2', id, nowMs);
  if (row === null) return false;
  yield* exec('update alert_silences set expires_at = $2 where id = $1', id, nowMs);
  yield* audit({ atMs: nowMs, fingerprint: null, action: 'unsilenced', actor: by, detail: id });
  return true;
}

export function* silencesInForce(nowMs: number): Operation<readonly Silence[]> {
  const rows = yield* all<Omit<Silence, 'createdAtMs' | 'expiresAtMs'> & { created_at: number; expires_at: number }>(
    'select * from alert_silences where expires_at > $1 order by expires_at, id',
    nowMs,
  );
  return rows.map(({ created_at, expires_at, ...row }) => ({
    ...row,
    createdAtMs: created_at,
    expiresAtMs: expires_at,
  }));
}

export const silences = (silence: Silence, alert: Alert): boolean =>
  (silence.exchange === null || silence.exchange === alert.exchange) &&
  (silence.code === null || silence.code === alert.code) &&
  (silence.asset === null || silence.asset === alert.asset);
