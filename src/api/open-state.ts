import type { StateAccess, StatePorts } from '../engine/core/pipeline.ts';
import { secretsOf, type Settings } from '../engine/core/settings.ts';
import { openLimits, openState, refuseLostState } from '../engine/core/state.ts';
import { lakeAt } from '../lake/layout.ts';
import { tempBeside } from '../platform/atomic-write.ts';
import { realFiles } from '../platform/node/disk-files.ts';
import { freshRandom } from '../platform/node/fresh-random.ts';
import { realProcesses } from '../platform/node/process-identity.ts';
import { openSqliteStore } from '../platform/node/sqlite-store.ts';
import { realClock } from '../platform/node/system-clock.ts';
import type { Files } from '../platform/ports/files.ts';
import type { Log } from '../platform/ports/log.ts';
import { redactNothing, type Redact } from '../platform/ports/redact.ts';
import type { Store } from '../platform/ports/store.ts';
import { redactedStore, redactorOf } from '../platform/redaction.ts';
import { timeOrderedIds } from '../platform/time-ordered-ids.ts';

export interface StateOptions {
  readonly log: Log;
  /** Clock and randomness of tests and simulations; the default is the real one. */
  readonly world?: Partial<Pick<StatePorts, 'clock' | 'random' | 'processes'>>;
  /** Whether a missing or empty state beside stored candles is refused, or opened in order to be rebuilt. */
  readonly lostState?: 'refused' | 'rebuilt';
  /** Redacts secrets that are not in the settings, such as other variables of the environment. */
  readonly redact?: Redact;
}

/**
 * Opens a data directory without exchanges, network, Parquet and alert channels. This file loads none of them: a
 * command that reads the state starts in a fraction of the time. The caller closes it.
 * @throws StateError (STATE_UNUSABLE) when state.db or limits.db cannot be used, or state.db was lost.
 * @throws Node's disk errors when the directory cannot be written; `classify` maps them to STORAGE_FAILED.
 */
export async function openStateAccess(
  settings: Settings,
  { log, world = {}, lostState = 'refused', redact: outer = redactNothing }: StateOptions,
): Promise<StateAccess> {
  const lake = lakeAt(settings.dataDir);
  proveWritable(realFiles, lake.root);
  const own = redactorOf(secretsOf(settings));
  const redact: Redact = (text) => outer(own(text));
  const open = (): Store => redactedStore(openState(openSqliteStore, lake.state), redact);
  const store = lostState === 'rebuilt' ? open() : await refuseLostState(realFiles, lake, open);
  const limits = openLimits(openSqliteStore, lake.limits);
  const clock = world.clock ?? realClock;
  const random = world.random ?? freshRandom();
  return {
    settings,
    lake,
    ports: {
      clock,
      random,
      processes: world.processes ?? realProcesses(),
      ids: timeOrderedIds(clock, random.fork('ids')),
      files: realFiles,
      store,
      limits,
      log,
      redact,
    },
    close: async () => {
      store.close();
      limits.close();
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
