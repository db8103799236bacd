import { realClock } from '../platform/node/system-clock.ts';
import { openDuckdbParquet } from '../platform/node/duckdb-parquet.ts';
import type { Files } from '../platform/ports/files.ts';
import { tempBeside } from '../platform/atomic-write.ts';
import { realFiles } from '../platform/node/disk-files.ts';
import { undiciHttp } from '../platform/node/undici-http.ts';
import { timeOrderedIds } from '../platform/time-ordered-ids.ts';
import type { Log } from '../platform/ports/log.ts';
import type { MailPort } from '../platform/ports/mail.ts';
import type { Ports } from '../platform/ports/ports.ts';
import { realProcesses } from '../platform/node/process-identity.ts';
import { openTelemetry } from '../platform/node/open-telemetry.ts';
import { freshRandom } from '../platform/node/fresh-random.ts';
import { openSqliteStore } from '../platform/node/sqlite-store.ts';
import { redactorOf } from '../platform/redaction.ts';
import { redactNothing, type Redact } from '../platform/ports/redact.ts';
import { smtpMail } from '../platform/node/smtp-mail.ts';
import type { Store } from '../platform/ports/store.ts';
import { redactedStore } from '../platform/redaction.ts';
import { GROUP_WAIT_MS, REPEAT_MS } from '../alerting/plan/outbox-plan.ts';
import { openChannels } from '../alerting/model/settings.ts';
import { codeOf } from '../errors/classify.ts';
import { ADAPTERS, type Adapters } from '../exchanges/registry.ts';
import { lakeAt } from '../lake/layout.ts';
import { configurationIdentity } from '../engine/core/configuration-identity.ts';
import { secretsOf, type Settings } from '../engine/core/settings.ts';
import { openLimits, openState, refuseLostState } from '../engine/core/state.ts';
import { durableHalt } from '../engine/core/halt.ts';
import { venuesOf } from '../engine/core/exchanges.ts';
import type { Pipeline } from '../engine/core/pipeline.ts';

/** The ports a caller may replace. Files, Parquet and stores are always real. */
export type WorldPorts = Pick<Ports, 'clock' | 'random' | 'http' | 'fetch' | 'processes'> & {
  readonly mailTo: (smtpUrl: string) => MailPort;
};

export interface OpenOptions {
  readonly log: Log;
  /** Clock, randomness and network of tests and simulations; the default is the real one. */
  readonly world?: Partial<WorldPorts>;
  /** Default: the adapters of the registry. */
  readonly adapters?: Adapters;
  /** Whether a missing or empty state beside stored candles is refused, or opened in order to be rebuilt. */
  readonly lostState?: 'refused' | 'rebuilt';
  /** Redacts secrets that are not in the settings, such as other variables of the environment. */
  readonly redact?: Redact;
}

/**
 * Opens a data directory and builds every adapter of the real world. The caller closes the pipeline.
 * @throws StateError (STATE_UNUSABLE) when state.db or limits.db cannot be used, or state.db was lost.
 * @throws Node's disk errors when the directory cannot be written; `classify` maps them to STORAGE_FAILED.
 */
export async function openPipeline(
  settings: Settings,
  {
    log,
    world: { mailTo = smtpMail, ...world } = {},
    adapters = ADAPTERS,
    lostState = 'refused',
    redact: outer = redactNothing,
  }: OpenOptions,
): Promise<Pipeline> {
  const lake = lakeAt(settings.dataDir);
  proveWritable(realFiles, lake.root);
  const own = redactorOf(secretsOf(settings));
  const redact: Redact = (text) => outer(own(text));
  const open = (): Store => redactedStore(openState(openSqliteStore, lake.state), redact);
  const store = lostState === 'rebuilt' ? open() : await refuseLostState(realFiles, lake, open);
  const limits = openLimits(openSqliteStore, lake.limits);
  const http = undiciHttp(settings.network);
  const clock = world.clock ?? realClock;
  const random = world.random ?? freshRandom();
  const parquet = openDuckdbParquet({ scratchDirectory: lake.scratch, clock });
  const ports: Ports = {
    clock,
    random,
    http,
    fetch: http.fetch,
    processes: realProcesses(),
    ...world,
    ids: timeOrderedIds(clock, random.fork('ids')),
    files: realFiles,
    parquet,
    store,
    limits,
    log,
    redact,
    telemetry: openTelemetry({ clock, redact, codeOf }),
  };
  const halts = durableHalt(ports, configurationIdentity(settings));
  return {
    settings,
    ports,
    lake,
    venues: venuesOf(ports, settings, { adapters, halts }),
    halts,
    dispatcher: {
      ports,
      policy: {
        instance: settings.alerts.instance,
        runbookUrl: settings.alerts.runbookUrl,
        groupWaitMs: GROUP_WAIT_MS,
        repeatMs: REPEAT_MS,
      },
      channels: openChannels({ clock, fetch: ports.fetch, mailTo }, settings.alerts.channels),
      undeliveredPath: lake.undelivered,
      redact,
    },
    close: async () => {
      store.close();
      limits.close();
      parquet.close();
      await http.close();
    },
  };
}

/** Fails before any work when the directory cannot be written. */
function proveWritable(files: Files, directory: string): void {
  files.makeDirectory(directory);
  const probe = tempBeside(`${directory}/write-probe`);
  try {
    files.write(probe, Buffer.from('candlekeep'));
  } finally {
    files.remove(probe);
  }
}
