import type { Operation } from '../platform/ports/store.ts';
import { exec, first } from '../platform/statements.ts';

/** How far a loop of the daemon has come; survives the process. Epoch milliseconds. */
export interface LoopState {
  /** What the loop has dealt with, in its own terms: for a schedule the newest candle close. */
  readonly cursorMs: number;
  /** End of its last turn: its heartbeat. */
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
