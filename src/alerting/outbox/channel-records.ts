import type { Operation } from '../../platform/ports/store.ts';
import { all, exec, first } from '../../platform/statements.ts';
import { UNTRIED, type ChannelHealth } from './channel-health.ts';

interface ChannelRow {
  readonly name: string;
  readonly failures: number;
  readonly failing_since: number | null;
  readonly down_since: number | null;
  readonly not_before: number;
  readonly last_error: string | null;
  readonly last_sent_at: number | null;
}

export function* writeHealth(name: string, health: ChannelHealth): Operation<void> {
  yield* exec(
    `insert into alert_channels (name, failures, failing_since, down_since, not_before, last_error, last_sent_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (name) do update set failures = excluded.failures, failing_since = excluded.failing_since,
       down_since = excluded.down_since, not_before = excluded.not_before, last_error = excluded.last_error,
       last_sent_at = excluded.last_sent_at`,
    name,
    health.failures,
    health.failingSinceMs,
    health.downSinceMs,
    health.notBeforeMs,
    health.lastError,
    health.lastSentAtMs,
  );
}

export function* healthOf(name: string): Operation<ChannelHealth> {
  const row = yield* first<ChannelRow>('select * from alert_channels where name = $1', name);
  return row === null ? UNTRIED : toHealth(row);
}

/** By channel name; channels never used are absent. */
export function* allHealth(): Operation<ReadonlyMap<string, ChannelHealth>> {
  const rows = yield* all<ChannelRow>('select * from alert_channels order by name');
  return new Map(rows.map((row) => [row.name, toHealth(row)]));
}

const toHealth = (row: ChannelRow): ChannelHealth => ({
  failures: row.failures,
  failingSinceMs: row.failing_since,
  downSinceMs: row.down_since,
  notBeforeMs: row.not_before,
  lastError: row.last_error,
  lastSentAtMs: row.last_sent_at,
});
