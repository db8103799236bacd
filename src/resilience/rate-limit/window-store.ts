import type { Operation } from '../../platform/ports/store.ts';
import { all, exec } from '../../platform/statements.ts';
import { windowAt, type WindowState } from './aligned-window.ts';
import type { RateLimit } from './rate-limit.ts';
import type { VenueKey } from '../schema.ts';

/** Identifies a limit among those of one exchange. */
type LimitName = Pick<RateLimit, 'name' | 'windowMs'>;
export const keyOf = ({ name, windowMs }: LimitName): string => `${name}/${windowMs}`;

interface WindowRow {
  readonly name: string;
  readonly window_ms: number;
  readonly window_index: number;
  readonly spent: number;
  readonly under_way: number;
  readonly others: number;
  readonly watched_from: number;
  readonly heard_at: number;
  readonly others_jump: number;
  readonly others_expected: number;
  readonly known: WindowState['known'];
  readonly probe_until: number;
}

/** An exchange's windows by the key of their limit; windows without a grant are absent. */
export function* windowsOf({ exchange, egress }: VenueKey): Operation<ReadonlyMap<string, WindowState>> {
  const rows = yield* all<WindowRow>(
    'select * from limit_windows where exchange = $1 and egress = $2',
    exchange,
    egress,
  );
  return new Map(
    rows.map((row) => [
      keyOf({ name: row.name, windowMs: row.window_ms }),
      {
        index: row.window_index,
        spent: row.spent,
        inFlight: row.under_way,
        others: row.others,
        observedFromMs: row.watched_from,
        observedAtMs: row.heard_at,
        othersStepMax: row.others_jump,
        othersForecast: row.others_expected,
        known: row.known,
        probeUntilMs: row.probe_until,
      },
    ]),
  );
}

/** Use of one limit in its last counted window, by us and by others on our address. */
export interface WindowUse extends LimitName {
  readonly exchange: string;
  readonly egress: string;
  readonly index: number;
  readonly used: number;
}

export function* windowUses(): Operation<readonly WindowUse[]> {
  const rows = yield* all<WindowRow & { exchange: string; egress: string }>(
    'select * from limit_windows order by exchange, egress, name, window_ms',
  );
  return rows.map((row) => ({
    exchange: row.exchange,
    egress: row.egress,
    name: row.name,
    windowMs: row.window_ms,
    index: row.window_index,
    used: row.spent + row.others,
  }));
}

export function* storeWindow(
  { exchange, egress }: VenueKey,
  { name, windowMs }: LimitName,
  state: WindowState,
): Operation<void> {
  yield* exec(
    `insert into limit_windows (exchange, egress, name, window_ms, window_index, spent, under_way, others,
       watched_from, heard_at, others_jump, others_expected, known, probe_until)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
     on conflict (exchange, egress, name, window_ms) do update set window_index = excluded.window_index,
       spent = excluded.spent, under_way = excluded.under_way, others = excluded.others,
       watched_from = excluded.watched_from, heard_at = excluded.heard_at, others_jump = excluded.others_jump,
       others_expected = excluded.others_expected, known = excluded.known, probe_until = excluded.probe_until`,
    exchange,
    egress,
    name,
    windowMs,
    state.index,
    state.spent,
    state.inFlight,
    state.others,
    state.observedFromMs,
    state.observedAtMs,
    state.othersStepMax,
    state.othersForecast,
    state.known,
    Math.ceil(state.probeUntilMs),
  );
}

/**
 * Windows without a count begin with what we spent in known windows of the same name: the requests for the limits
 * were sent before these were known, and the exchange has counted them.
 */
export function* openWindows(
  venue: VenueKey,
  {
    before,
    limits,
    nowMs,
  }: { readonly before: readonly RateLimit[]; readonly limits: readonly RateLimit[]; readonly nowMs: number },
): Operation<void> {
  const known = yield* windowsOf(venue);
  for (const limit of limits) {
    if (known.has(keyOf(limit))) continue;
    const spent = before
      .filter(({ name }) => name === limit.name)
      .map((one) => known.get(keyOf(one)))
      .map((state) => (state === undefined ? 0 : state.spent));
    yield* storeWindow(venue, limit, {
      ...windowAt(null, { index: Math.floor(nowMs / limit.windowMs), windowMs: limit.windowMs, intoMs: 0 }),
      spent: Math.max(0, ...spent),
    });
  }
}
