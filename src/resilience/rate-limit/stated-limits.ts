import type { Operation } from '../../platform/ports/store.ts';
import { exec, first } from '../../platform/statements.ts';
import type { RateLimit } from './rate-limit.ts';
import type { VenueKey } from '../schema.ts';

/** Limits as the exchange stated them. */
export interface StatedLimits {
  /** The host that stated them: a stand-in's limits are not the exchange's. */
  readonly origin: string;
  readonly limits: readonly RateLimit[];
  readonly learnedAtMs: number;
}

/** The limits in force: a stated limit replaces all known ones of its name, whatever their windows. */
export const limitsInForce = (prior: readonly RateLimit[], stated: readonly RateLimit[]): readonly RateLimit[] => [
  ...prior.filter(({ name }) => !stated.some((one) => one.name === name)),
  ...stated,
];

/** Stated limits that differ from the known ones of their name, as text for people. */
export function drift(prior: readonly RateLimit[], stated: readonly RateLimit[]): readonly string[] {
  const textOf = (limits: readonly RateLimit[], name: string): string =>
    limits
      .filter((limit) => limit.name === name)
      .map(({ limit, windowMs }) => `${limit} in ${windowMs / 1_000} s`)
      .toSorted()
      .join(' and ');
  return [...new Set(stated.map(({ name }) => name))]
    .filter((name) => textOf(stated, name) !== textOf(prior, name))
    .map((name) => `${name}: ${textOf(stated, name)}, known ${textOf(prior, name) || 'nothing'}`);
}

export function* statedLimits({ exchange, egress }: VenueKey): Operation<StatedLimits | null> {
  const row = yield* first<{ origin: string; limits: string; learned_at: number }>(
    'select origin, limits, learned_at from stated_limits where exchange = $1 and egress = $2',
    exchange,
    egress,
  );
  return row === null
    ? null
    : { origin: row.origin, limits: JSON.parse(row.limits) as RateLimit[], learnedAtMs: row.learned_at };
}

export function* recordStatedLimits(
  { exchange, egress }: VenueKey,
  { origin, limits, learnedAtMs }: StatedLimits,
): Operation<void> {
  yield* exec(
    `insert into stated_limits (exchange, egress, origin, limits, learned_at) values ($1, $2, $3, $4, $5)
     on conflict (exchange, egress) do update set origin = excluded.origin, limits = excluded.limits,
       learned_at = excluded.learned_at`,
    exchange,
    egress,
    origin,
    JSON.stringify(limits),
    learnedAtMs,
  );
}
