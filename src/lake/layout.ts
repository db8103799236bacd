import { join } from 'node:path';
import type { Exchange } from '../domain/exchange.ts';
import type { Interval } from '../domain/interval.ts';
import type { Day, Period } from '../domain/partition.ts';

/** One silver (or quarantine) file: every symbol of one venue and interval in one period. */
export interface PeriodKey {
  readonly exchange: Exchange;
  readonly interval: Interval;
  readonly period: Period;
}

/** Paths of the data directory. Paths in the store are relative to it, so that the directory can be moved. */
export interface Lake {
  readonly root: string;
  readonly state: string;
  readonly limits: string;
  readonly scratch: string;
  readonly gold: string;
  /** The token that `start` requires from callers if the configuration has none. */
  readonly token: string;
  /** Alerts that no channel accepted, one JSON line each. */
  readonly undelivered: string;
  bronzeDirectory(exchange: Exchange, interval: Interval, fetched: Day): string;
  silverFile(key: PeriodKey): string;
  quarantineFile(key: PeriodKey): string;
  silverIntervalDirectory(exchange: Exchange, interval: Interval): string;
  /** The absolute path of a path relative to the data directory. */
  at(relative: string): string;
}

export function lakeAt(root: string): Lake {
  const partOf = (layer: string, { exchange, interval, period }: PeriodKey): string =>
    join(layer, `exchange=${exchange}`, `interval=${interval}`, `period=${period}`, 'part-0.parquet');
  return {
    root,
    state: join(root, 'state.db'),
    limits: join(root, 'limits.db'),
    scratch: join(root, '.scratch'),
    gold: join(root, 'gold'),
    token: join(root, 'http-token'),
    undelivered: join(root, 'undelivered.jsonl'),
    bronzeDirectory: (exchange, interval, fetched) =>
      join('bronze', `exchange=${exchange}`, `interval=${interval}`, `fetched=${fetched}`),
    silverFile: (key) => partOf('silver', key),
    quarantineFile: (key) => partOf('quarantine', key),
    silverIntervalDirectory: (exchange, interval) => join('silver', `exchange=${exchange}`, `interval=${interval}`),
    at: (relative) => join(root, relative),
  };
}

/** The lease that a process holds while it fetches a period's cells and rebuilds its silver file. */
export const periodLease = ({ exchange, interval, period }: PeriodKey): string =>
  `cells:${exchange}:${interval}:${period}`;
