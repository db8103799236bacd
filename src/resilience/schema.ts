import type { Migration } from '../platform/ports/store.ts';

/** The owner of limits, gate, breaker and budget: a venue, and the address our requests come from. */
export interface VenueKey {
  readonly exchange: string;
  /** Name of the way out of this machine. */
  readonly egress: string;
}

const POLICY_1: Migration = {
  name: 'policy 1: limits, windows, paces, gates, breakers, retry budgets',
  statements: [
    `create table stated_limits (
      exchange text not null,
      egress text not null,
      origin text not null,
      limits text not null,
      learned_at bigint not null,
      primary key (exchange, egress)
    )`,
    `create table limit_windows (
      exchange text not null,
      egress text not null,
      name text not null,
      window_ms bigint not null,
      window_index bigint not null,
      spent bigint not null,
      others bigint not null,
      watched_from bigint not null,
      heard_at bigint not null,
      others_jump bigint not null,
      others_expected bigint not null,
      known text not null check (known in ('nothing', 'ours', 'all')),
      probe_until bigint not null,
      primary key (exchange, egress, name, window_ms)
    )`,
    `create table paces (
      exchange text not null,
      egress text not null,
      name text not null,
      window_ms bigint not null,
      booked text not null,
      primary key (exchange, egress, name, window_ms)
    )`,
    `create table gates (
      exchange text not null,
      egress text not null,
      code text not null,
      opens_at bigint not null,
      primary key (exchange, egress)
    )`,
    `create table breakers (
      exchange text not null,
      egress text not null,
      state text not null,
      primary key (exchange, egress)
    )`,
    `create table retry_budgets (
      exchange text not null,
      egress text not null,
      tokens double precision not null,
      counted_at bigint not null,
      primary key (exchange, egress)
    )`,
  ],
};

const POLICY_2: Migration = {
  name: 'policy 2: what is under way when a window turns',
  statements: ['alter table limit_windows add column under_way bigint not null default 0'],
};

/**
 * What processes share about venues, in limits.db. It is written at every attempt and loses its value within an hour,
 * so it is stored apart from the ledger and with less durability. Times are epoch milliseconds.
 */
export const POLICY_MIGRATIONS: readonly Migration[] = [POLICY_1, POLICY_2];
