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

/** Everything the program needs from outside. Whoever builds this object owns the world the program lives in. */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly http: HttpPort;
  /** For clients that bring their own protocol (the Hub client); never used for exchanges. */
  readonly fetch: typeof globalThis.fetch;
  readonly files: Files;
  readonly parquet: Parquet;
  readonly store: Store;
  /** Limits, gates and breakers shared by processes: small, written often, and worth little after a power loss. */
  readonly limits: Store;
  readonly processes: Processes;
  readonly log: Log;
  /** Takes secrets out of what is kept or sent. */
  readonly redact: Redact;
  /** Spans and metrics for whoever collects them; silent unless the process registers an OpenTelemetry SDK. */
  readonly telemetry: Telemetry;
}
