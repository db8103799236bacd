import type { Migration } from '../../platform/ports/store.ts';

/** Alerts, the outbox of messages to channels, and the audit trail. Times are epoch milliseconds. */
export const ALERTS_1: Migration = {
  name: 'alerts 1: alerts, messages, channels, silences, log',
  statements: [
    `create table alerts (
      fingerprint text primary key,
      exchange text,
      code text not null,
      asset text,
      reach text not null check (reach in ('symbols', 'asset')),
      episode bigint not null,
      level text not null,
      facts text not null,
      fired_at bigint not null,
      seen_at bigint not null,
      resolved_at bigint,
      resolution text,
      acked_by text,
      settled_at bigint
    )`,
    'create index alerts_unsettled on alerts (fired_at) where settled_at is null',
    `create table alert_messages (
      sequence bigint primary key,
      id text not null unique,
      fingerprint text not null,
      episode bigint not null,
      channel text not null,
      kind text not null,
      level text not null,
      notice text not null,
      state text not null check (state in ('pending', 'sent', 'collapsed', 'rerouted', 'refused', 'dropped')),
      attempts bigint not null default 0,
      created_at bigint not null,
      ended_at bigint,
      last_error text,
      escaped_at bigint
    )`,
    `create index alert_messages_pending on alert_messages (channel, sequence) where state = 'pending'`,
    'create index alert_messages_by_cause on alert_messages (fingerprint, channel, sequence)',
    `create table alert_channels (
      name text primary key,
      failures bigint not null,
      failing_since bigint,
      down_since bigint,
      not_before bigint not null,
      last_error text,
      last_sent_at bigint
    )`,
    `create table alert_silences (
      id text primary key,
      exchange text,
      code text,
      asset text,
      author text not null,
      reason text not null,
      created_at bigint not null,
      expires_at bigint not null
    )`,
    `create table alert_log (
      sequence bigint primary key,
      at bigint not null,
      fingerprint text,
      action text not null,
      actor text not null,
      detail text not null
    )`,
    'create index alert_log_by_cause on alert_log (fingerprint, action, at)',
  ],
};
