import type { Clock } from '../../platform/ports/clock.ts';
import type { Operation, Store } from '../../platform/ports/store.ts';
import { exec, first } from '../../platform/statements.ts';
import { SLEEP_MS_MAX } from '../../errors/schedule.ts';
import type { Closure, Gate } from '../policies.ts';
import type { VenueKey } from '../schema.ts';

/** Closings that a page waits out in a row; one more parks it. */
const CLOSINGS_MAX = 10;

export interface GateOptions {
  readonly clock: Clock;
  readonly store: Store;
  readonly venue: VenueKey;
}

/**
 * One exchange's gate for every process on this address. A 429, a ban or maintenance closes it. A waiting page checks
 * again after its sleep, because the gate may have been closed for longer meanwhile.
 */
export function venueGate({ clock, store, venue }: GateOptions): Gate {
  const closed = async (): Promise<Closure | null> => {
    const closure = await store.read(gateOf, venue);
    return closure !== null && closure.untilMs > clock.nowMs() ? closure : null;
  };
  return {
    pass: async (signal) => {
      for (let closings = 0; ; closings++) {
        signal.throwIfAborted();
        const closure = await closed();
        if (closure === null) return null;
        const leftMs = closure.untilMs - clock.nowMs();
        if (leftMs > SLEEP_MS_MAX || closings >= CLOSINGS_MAX) return closure;
        await clock.sleep(leftMs, signal);
      }
    },
    isOpen: async () => (await closed()) === null,
    opensAtMs: async () => (await closed())?.untilMs ?? null,
    close: (closure) => store.transact(closeGate, venue, closure),
  };
}

function* gateOf({ exchange, egress }: VenueKey): Operation<Closure | null> {
  const row = yield* first<{ code: Closure['code']; opens_at: number }>(
    'select code, opens_at from gates where exchange = $1 and egress = $2',
    exchange,
    egress,
  );
  return row === null ? null : { code: row.code, untilMs: row.opens_at };
}

/** The later of two closings counts; of two that end together, the first. */
function* closeGate({ exchange, egress }: VenueKey, { code, untilMs }: Closure): Operation<void> {
  yield* exec(
    `insert into gates (exchange, egress, code, opens_at) values ($1, $2, $3, $4)
     on conflict (exchange, egress) do update set code = excluded.code, opens_at = excluded.opens_at
       where excluded.opens_at > gates.opens_at`,
    exchange,
    egress,
    code,
    Math.ceil(untilMs),
  );
}
