import type { Migration } from '../platform/ports/store.ts';

/** Counters and gauges that outlive a process, and rule states. Labels are JSON text with sorted keys. */
export const METRICS_1: Migration = {
  name: 'metrics 1: values, rules',
  statements: [
    `create table metric_values (
      name text not null,
      labels text not null,
      bucket bigint not null,
      value double precision not null,
      primary key (name, labels, bucket)
    )`,
    `create table metric_rules (
      rule text not null,
      subject text not null,
      level text,
      bad bigint not null,
      good bigint not null,
      blind bigint not null,
      changed_at bigint not null,
      primary key (rule, subject)
    )`,
  ],
};
