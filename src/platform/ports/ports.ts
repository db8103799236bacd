import type { Clock } from './clock.ts';
import type { Files } from './files.ts';
import type { HttpPort } from './http.ts';
import type { Ids } from './ids.ts';
import type { Log } from './log.ts';
import type { Parquet } from './parquet.ts';
import type { Processes } from './processes.ts';
import type { Random } from './random.ts';
import type { Redact } from './redact.ts';
import type { Store } from './store.ts';
import type { Telemetry } from './telemetry.ts';

/** Everything the program needs from outside. A test that builds this object controls the whole environment. */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly http: HttpPort;
  /** For clients with their own protocol (the Hub client); never used for exchanges. */
  readonly fetch: typeof globalThis.fetch;
  readonly files: Files;
  readonly parquet: Parquet;
  readonly store: Store;
  /** Limits, gates and breakers shared by processes: small, written often, and dispensable after a power loss. */
  readonly limits: Store;
  readonly processes: Processes;
  readonly log: Log;
  /** Removes secrets from texts that are stored or sent. */
  readonly redact: Redact;
  /** Spans and metrics; does nothing unless the process registers an OpenTelemetry SDK. */
  readonly telemetry: Telemetry;
}
