import type { Operation } from '../platform/ports/store.ts';
import { exec, first } from '../platform/statements.ts';

/** Progress of a loop of the daemon; outlives the process. Unit: epoch milliseconds. */
export interface LoopState {
  /** Position in the loop's own terms: for a schedule the newest handled candle close. */
  readonly cursorMs: number;
  /** End of the last tick: the loop's heartbeat. */
  readonly tickedAtMs: number;
}

export function* loopState(name: string): Operation<LoopState | null> {
  const row = yield* first<{ cursor_ms: number; turned_at: number }>(
    'select cursor_ms, turned_at from loops where name = $1',
    name,
  );
  return row === null ? null : { cursorMs: row.cursor_ms, tickedAtMs: row.turned_at };
}

export function* recordLoopTick(name: string, state: LoopState): Operation<void> {
  yield* exec(
    `insert into loops (name, cursor_ms, turned_at) values ($1, $2, $3)
     on conflict (name) do update set cursor_ms = excluded.cursor_ms, turned_at = excluded.turned_at`,
    name,
    state.cursorMs,
    state.tickedAtMs,
  );
}
