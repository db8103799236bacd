import { realClock } from '../kernel/clock.ts';
import { openDuckdbParquet } from '../kernel/duckdb-parquet.ts';
import { realFiles } from '../kernel/files.ts';
import { undiciHttp } from '../kernel/http.ts';
import { timeOrderedIds } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import type { Ports } from '../kernel/ports.ts';
import { realProcesses } from '../kernel/process-identity.ts';
import { freshRandom } from '../kernel/random.ts';
import { lakeAt, type Lake } from '../data/lake/layout.ts';
import type { Settings } from './settings.ts';
import { openState } from './state.ts';
import { venuesOf, type Venues } from './venues.ts';

/** The program, opened on one data directory: what every command works with. */
export interface Pipeline {
  readonly settings: Settings;
  readonly ports: Ports;
  readonly lake: Lake;
  readonly venues: Venues;
  close(): Promise<void>;
}

/**
 * Opens a data directory with the real world around it.
 * @throws StateError (STATE_UNUSABLE) when state.db is not ours to use.
 * @throws Node's disk errors when the directory cannot be made or written; `judge` tells them as STORAGE_FAILED.
 */
export async function openPipeline(settings: Settings, { log }: { readonly log: Log }): Promise<Pipeline> {
  const lake = lakeAt(settings.dataDir);
  realFiles.makeDirectory(lake.root);
  realFiles.write(`${lake.root}/${PROBE}`, Buffer.from('candlekeep'));
  realFiles.remove(`${lake.root}/${PROBE}`);
  const store = openState(lake.state);
  const http = undiciHttp();
  const parquet = openDuckdbParquet({ scratchDirectory: lake.scratch, clock: realClock });
  const random = freshRandom();
  const ports: Ports = {
    clock: realClock,
    random,
    ids: timeOrderedIds(realClock, random.fork('ids')),
    http,
    fetch: globalThis.fetch,
    files: realFiles,
    parquet,
    store,
    processes: realProcesses(),
    log,
  };
  return {
    settings,
    ports,
    lake,
    venues: venuesOf(ports, settings),
    close: async () => {
      store.close();
      await Promise.all([http.close(), parquet.close()]);
    },
  };
}

/** Written and removed at every start: a directory that cannot be written is told before any work. */
const PROBE = '.tmp-write-probe';
