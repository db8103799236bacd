import type { Ports } from '../../platform/ports/ports.ts';
import type { AlertDispatcher } from '../../alerting/outbox/delivery.ts';
import type { HaltSwitch } from '../../resilience/policies.ts';
import type { Lake } from '../../lake/layout.ts';
import type { Settings } from './settings.ts';
import type { Venues } from './exchanges.ts';

/** The ports that need no network, no Parquet and no telemetry. */
export type StatePorts = Omit<Ports, 'http' | 'fetch' | 'parquet' | 'telemetry'>;

/** A data directory opened for its state alone: enough for a command that reads or changes the state store. */
export interface StateAccess {
  readonly settings: Settings;
  readonly ports: StatePorts;
  readonly lake: Lake;
  close(): Promise<void>;
}

/** The program, opened on one data directory, for work on candles. */
export interface Pipeline extends StateAccess {
  readonly ports: Ports;
  readonly venues: Venues;
  /** Shared by every process of this data directory. */
  readonly halts: HaltSwitch;
  /** Raises and sends alerts. */
  readonly dispatcher: AlertDispatcher;
}
