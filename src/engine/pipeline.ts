import { realClock } from '../kernel/clock.ts';
import { openDuckdbParquet } from '../kernel/duckdb-parquet.ts';
import { realFiles, tempBeside, type Files } from '../kernel/files.ts';
import { undiciHttp } from '../kernel/http.ts';
import { timeOrderedIds } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import type { MailPort } from '../kernel/mail.ts';
import type { Ports } from '../kernel/ports.ts';
import { realProcesses } from '../kernel/process-identity.ts';
import { openTelemetry } from '../kernel/open-telemetry.ts';
import { freshRandom } from '../kernel/random.ts';
import { nothingSecret, scrubberOf, type Scrub } from '../kernel/secrets.ts';
import { smtpMail } from '../kernel/smtp-mail.ts';
import { scrubbedStore, type Store } from '../kernel/store.ts';
import type { AlertDesk } from '../faults/alerting/delivery.ts';
import { GROUP_WAIT_MS, REPEAT_MS } from '../faults/alerting/outbox-plan.ts';
import { openChannels } from '../faults/alerting/settings.ts';
import type { StopOrder } from '../faults/policy/guards.ts';
import { codeOf } from '../faults/taxonomy/judge.ts';
import { ADAPTERS, type Adapters } from '../data/exchanges/registry.ts';
import { lakeAt, type Lake } from '../data/lake/layout.ts';
import { configurationIdentity } from './configuration-identity.ts';
import { secretsOf, type Settings } from './settings.ts';
import { openLimits, openState, refuseLostState } from './state.ts';
import { durableStop } from './stop-order.ts';
import { venuesOf, type Venues } from './venues.ts';

/** The program, opened on one data directory: what every command works with. */
export interface Pipeline {
  readonly settings: Settings;
  readonly ports: Ports;
  readonly lake: Lake;
  readonly venues: Venues;
  /** Every process on this data directory keeps it. */
  readonly stopOrder: StopOrder;
  /** Where alerts are raised and sent from. */
  readonly desk: AlertDesk;
  close(): Promise<void>;
}

/** What may be put in the place of the real world: everything but disk-bound engines. */
export type WorldPorts = Pick<Ports, 'clock' | 'random' | 'http' | 'fetch' | 'processes'> & {
  readonly mailTo: (smtpUrl: string) => MailPort;
};

export interface OpenOptions {
  readonly log: Log;
  /** Tests and the simulator bring their own time, chance and wire; the rest is real. */
  readonly world?: Partial<WorldPorts>;
  /** Default: the registry's. */
  readonly adapters?: Adapters;
  /** A state that knows nothing of the candles beside it is refused, unless it is about to be rebuilt. */
  readonly lostState?: 'refused' | 'rebuilt';
  /** Takes out secrets that the settings do not hold: what else the process was given. */
  readonly scrub?: Scrub;
}

/**
 * Opens a data directory.
 * @throws StateError (STATE_UNUSABLE) when state.db or limits.db is not ours to use, or state.db was lost.
 * @throws Node's disk errors when the directory cannot be made or written; `judge` tells them as STORAGE_FAILED.
 */
export async function openPipeline(
  settings: Settings,
  {
    log,
    world: { mailTo = smtpMail, ...world } = {},
    adapters = ADAPTERS,
    lostState = 'refused',
    scrub: outer = nothingSecret,
  }: OpenOptions,
): Promise<Pipeline> {
  const lake = lakeAt(settings.dataDir);
  proveWritable(realFiles, lake.root);
  const own = scrubberOf(secretsOf(settings));
  const scrub: Scrub = (text) => outer(own(text));
  const open = (): Store => scrubbedStore(openState(lake.state), scrub);
  const store = lostState === 'rebuilt' ? open() : await refuseLostState(realFiles, lake, open);
  const limits = openLimits(lake.limits);
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
    scrub,
    telemetry: openTelemetry({ clock, scrub, codeOf }),
  };
  const stopOrder = durableStop(ports, configurationIdentity(settings));
  return {
    settings,
    ports,
    lake,
    venues: venuesOf(ports, settings, { adapters, stopOrder }),
    stopOrder,
    desk: {
      ports,
      policy: {
        instance: settings.alerts.instance,
        runbookUrl: settings.alerts.runbookUrl,
        groupWaitMs: GROUP_WAIT_MS,
        repeatMs: REPEAT_MS,
      },
      channels: openChannels({ clock, fetch: ports.fetch, mailTo }, settings.alerts.channels),
      undeliveredPath: lake.undelivered,
      scrub,
    },
    close: async () => {
      store.close();
      limits.close();
      parquet.close();
      await http.close();
    },
  };
}

/** A directory that cannot be written is told before any work. */
function proveWritable(files: Files, directory: string): void {
  files.makeDirectory(directory);
  const probe = tempBeside(`${directory}/write-probe`);
  try {
    files.write(probe, Buffer.from('candlekeep'));
  } finally {
    files.remove(probe);
  }
}
