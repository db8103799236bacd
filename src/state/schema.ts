import type { Migration } from '../platform/ports/store.ts';

/** The ledger's tables. Times are epoch milliseconds, booleans 0 or 1, lists and maps JSON text. */
export const LEDGER_1: Migration = {
  name: 'ledger 1: runs, leases, stops, cells, verdicts, symbols, loops, fault log',
  statements: [
    `create table runs (
      id text primary key,
      candle_interval text not null,
      partition_start text not null,
      partition_end text not null,
      run_trigger text not null,
      run_key text unique,
      request text not null,
      status text not null check (status in ('queued', 'running', 'finished')),
      outcome text,
      owner text,
      fence bigint not null default 0,
      crash_count bigint not null default 0,
      cancel_requested bigint not null default 0,
      created_at bigint not null,
      started_at bigint,
      finished_at bigint,
      assets text not null default '[]',
      error text
    )`,
    'create index runs_by_time on runs (created_at)',
    `create table run_tags (
      run_id text not null references runs (id),
      tag text not null,
      value text not null,
      primary key (run_id, tag)
    )`,
    'create index run_tags_by_value on run_tags (tag, value)',
    `create table leases (
      name text primary key,
      owner text not null,
      host text not null,
      pid bigint not null,
      start_mark text not null,
      fence bigint not null,
      expires_at bigint not null
    )`,
    `create table stops (
      id text primary key,
      configuration text not null,
      exchange text not null,
      code text not null,
      message text not null,
      run_id text,
      given_at bigint not null,
      lifted_at bigint
    )`,
    'create index stops_standing on stops (configuration) where lifted_at is null',
    `create table cells (
      exchange text not null,
      symbol text not null,
      candle_interval text not null,
      day text not null,
      expected bigint not null,
      present bigint not null,
      no_trades bigint not null,
      outage bigint not null,
      quarantined bigint not null,
      pending bigint not null,
      gaps text not null,
      flat text not null,
      cut text not null,
      looks bigint not null,
      pending_since bigint,
      next_attempt_at bigint,
      not_before bigint,
      run_id text not null,
      updated_at bigint not null,
      primary key (exchange, candle_interval, symbol, day),
      check (expected = present + no_trades + outage + quarantined + pending)
    )`,
    `create table evidence (
      sha256 text primary key,
      content text not null
    )`,
    `create table verdicts (
      exchange text not null,
      candle_interval text not null,
      symbol text not null,
      day text not null,
      evidence_sha256 text not null references evidence (sha256),
      state text not null,
      cause text not null,
      runs text not null,
      judged_at bigint not null,
      primary key (exchange, candle_interval, symbol, day, evidence_sha256)
    )`,
    `create table acceptances (
      id text primary key,
      exchange text not null,
      candle_interval text not null,
      symbol text not null,
      range_from bigint not null,
      range_to bigint not null,
      reason text not null,
      accepted_by text not null,
      accepted_at bigint not null
    )`,
    'create index cells_pending on cells (next_attempt_at) where next_attempt_at is not null',
    // Every removal and return of a symbol is kept.
    `create table symbol_changes (
      exchange text not null,
      symbol text not null,
      changed_at bigint not null,
      state text not null check (state in ('active', 'removed')),
      code text,
      reason text not null,
      primary key (exchange, symbol, changed_at)
    )`,
    `create view symbols as select * from symbol_changes as change where not exists (
      select 1 from symbol_changes as later
      where later.exchange = change.exchange and later.symbol = change.symbol and later.changed_at > change.changed_at
    )`,
    `create table loops (
      name text primary key,
      cursor_ms bigint not null,
      turned_at bigint not null
    )`,
    `create table first_candles (
      exchange text not null,
      symbol text not null,
      candle_interval text not null,
      open_ms bigint not null,
      seen_at bigint not null,
      primary key (exchange, symbol, candle_interval)
    )`,
    `create table fault_log (
      id text primary key,
      at bigint not null,
      run_id text,
      code text not null,
      exchange text,
      symbol text,
      candle_interval text,
      range_from bigint,
      range_to bigint,
      attempt bigint,
      tries_max bigint,
      decision text not null,
      wait_ms bigint,
      record text not null
    )`,
    'create index fault_log_by_run on fault_log (run_id, at)',
    'create index fault_log_by_code on fault_log (code, at)',
  ],
};
