import type { Ports } from '../../platform/ports/ports.ts';
import type { AlertDispatcher } from '../../alerting/outbox/delivery.ts';
import type { HaltSwitch } from '../../resilience/policies.ts';
import type { Lake } from '../../lake/layout.ts';
import type { Settings } from './settings.ts';
import type { Venues } from './exchanges.ts';

/** The program, opened on one data directory: what every command works with. */
export interface Pipeline {
  readonly settings: Settings;
  readonly ports: Ports;
  readonly lake: Lake;
  readonly venues: Venues;
  /** Every process on this data directory keeps it. */
  readonly halts: HaltSwitch;
  /** Where alerts are raised and sent from. */
  readonly dispatcher: AlertDispatcher;
  close(): Promise<void>;
}
