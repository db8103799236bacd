import type { Operation } from '../../platform/ports/store.ts';
import { all, exec, first } from '../../platform/statements.ts';

/** Actions on alerts, each with its author. Every change of an alert or a message in this room writes one entry. */
export type AuditAction =
  | 'fired'
  | 'worsened'
  | 'resolved'
  | 'acknowledged'
  | 'silenced'
  | 'unsilenced'
  | 'sent'
  | 'failed'
  | 'collapsed'
  | 'rerouted'
  | 'refused'
  | 'dropped'
  | 'escaped';

export interface AuditEntry {
  readonly atMs: number;
  /** Null when the entry concerns no single cause. */
  readonly fingerprint: string | null;
  readonly action: AuditAction;
  /** A person's name, a run, a channel, or `candlekeep`. */
  readonly actor: string;
  readonly detail: string;
}

export function* audit(entry: AuditEntry): Operation<void> {
  yield* exec(
    'insert into alert_log (sequence, at, fingerprint, action, actor, detail) values ($1, $2, $3, $4, $5, $6)',
    yield* nextSequence('alert_log'),
    entry.atMs,
    entry.fingerprint,
    entry.action,
    entry.actor,
    entry.detail,
  );
}

/** The next number in the order of transactions, in SQL that SQLite and PostgreSQL both accept. */
export function* nextSequence(table: 'alert_log' | 'alert_messages'): Operation<number> {
  const row = yield* first<{ next: number }>(`select coalesce(max(sequence), 0) + 1 as next from ${table}`);
  return row?.next ?? 1;
}

/** How many times a cause began to fire since `sinceMs`. */
export function* countFirings(fingerprint: string, sinceMs: number): Operation<number> {
  const row = yield* first<{ count: number }>(
    `select count(*) as count from alert_log where fingerprint = $1 and action = 'fired' and at > $2`,
    fingerprint,
    sinceMs,
  );
  return row?.count ?? 0;
}

/** Newest first. */
export function* auditTrail(limit: number): Operation<readonly AuditEntry[]> {
  const rows = yield* all<Omit<AuditEntry, 'atMs'> & { at: number; sequence: number }>(
    'select * from alert_log order by sequence desc limit $1',
    limit,
  );
  return rows.map(({ at, fingerprint, action, actor, detail }) => ({ atMs: at, fingerprint, action, actor, detail }));
}
