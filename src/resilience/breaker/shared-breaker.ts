import type { Clock } from '../../platform/ports/clock.ts';
import type { Operation, Store } from '../../platform/ports/store.ts';
import { all, exec, first } from '../../platform/statements.ts';
import { admit, CLOSED, record, type BreakerState } from './breaker.ts';
import { exchangeSuspicion } from './suspicion.ts';
import type { Breaker } from '../policies.ts';
import type { VenueKey } from '../schema.ts';

export interface BreakerOptions {
  readonly clock: Clock;
  readonly store: Store;
  readonly venue: VenueKey;
  /** Longer than any page takes. */
  readonly probeMsMax: number;
}

/**
 * One exchange's breaker, shared by processes; the suspicion before it opens is local to each process. Nothing is
 * written while the exchange responds.
 */
export function venueBreaker({ clock, store, venue, probeMsMax }: BreakerOptions): Breaker {
  const suspicion = exchangeSuspicion();
  const stored = (): Promise<BreakerState> => store.read(breakerOf, venue);
  return {
    admit: async (page, symbol) => {
      if ((await stored()).phase === 'closed') return suspicion.admit(page, symbol, clock.nowMs());
      return store.transact(function* admitPage() {
        const before = yield* breakerOf(venue);
        const { state, closure } = admit(before, { page, nowMs: clock.nowMs(), probeMsMax });
        yield* replaceBreaker(venue, { before, state });
        return closure;
      });
    },
    observe: (as) => suspicion.observe(as),
    record: async (page, end) => {
      suspicion.leave(page);
      if (end.as === 'answered' && (await stored()) === CLOSED) return;
      await store.transact(function* recordPageEnd() {
        const before = yield* breakerOf(venue);
        yield* replaceBreaker(venue, { before, state: record(before, end, { page, nowMs: clock.nowMs() }) });
      });
    },
  };
}

/** Breakers that are open or remember failures, of every address. */
export function* breakerStates(): Operation<
  readonly { readonly exchange: string; readonly phase: BreakerState['phase'] }[]
> {
  const rows = yield* all<{ exchange: string; state: string }>(
    'select exchange, state from breakers order by exchange, egress',
  );
  return rows.map(({ exchange, state }) => ({ exchange, phase: (JSON.parse(state) as BreakerState).phase }));
}

function* breakerOf({ exchange, egress }: VenueKey): Operation<BreakerState> {
  const row = yield* first<{ state: string }>(
    'select state from breakers where exchange = $1 and egress = $2',
    exchange,
    egress,
  );
  return row === null ? CLOSED : (JSON.parse(row.state) as BreakerState);
}

function* replaceBreaker(
  { exchange, egress }: VenueKey,
  { before, state }: { readonly before: BreakerState; readonly state: BreakerState },
): Operation<void> {
  if (state === before) return;
  if (state === CLOSED) yield* exec('delete from breakers where exchange = $1 and egress = $2', exchange, egress);
  else
    yield* exec(
      `insert into breakers (exchange, egress, state) values ($1, $2, $3)
       on conflict (exchange, egress) do update set state = excluded.state`,
      exchange,
      egress,
      JSON.stringify(state),
    );
}
