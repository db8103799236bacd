import type { Ports } from '../../platform/ports/ports.ts';
import type { AlertDispatcher } from '../../alerting/outbox/delivery.ts';
import type { HaltSwitch } from '../../resilience/policies.ts';
import type { Lake } from '../../lake/layout.ts';
import type { Settings } from './settings.ts';
import type { Venues } from './exchanges.ts';

/** The program, opened on one data directory. Every command works with it. */
export interface Pipeline {
  readonly settings: Settings;
  readonly ports: Ports;
  readonly lake: Lake;
  readonly venues: Venues;
  /** Shared by every process of this data directory. */
  readonly halts: HaltSwitch;
  /** Raises and sends alerts. */
  readonly dispatcher: AlertDispatcher;
  close(): Promise<void>;
}
