import type { Store } from '../kernel/store.ts';
import { openSqliteStore } from '../kernel/sqlite-store.ts';
import { StoreRefusedError, type StoreRefusal } from '../kernel/store-errors.ts';
import { BRONZE_1 } from '../data/bronze/page-index.ts';
import { LAKE_1 } from '../data/lake/manifest.ts';
import { StateError } from '../faults/taxonomy/errors.ts';
import { MARKETS_1 } from '../faults/ledger/market-choices.ts';
import { POLICY_1 } from '../faults/policy/schema.ts';
import { LEDGER_1 } from '../faults/ledger/schema.ts';

/** The whole schema in the order it was released. A room's next step is added at the end, never in between. */
const MIGRATIONS = [LEDGER_1, BRONZE_1, LAKE_1, MARKETS_1];

const REFUSALS: Readonly<Record<StoreRefusal, string>> = {
  newer: 'was written by a newer Candlekeep; use that version or another --data-dir',
  foreign: 'is a database of another program; name another --data-dir',
  // Not "move it away": a run without the state rebuilds silver files from the few answers that it knows.
  damaged: 'is damaged or not a database; restore a copy of it or name another --data-dir. Bronze and silver beside it are complete',
  busy: 'is held by another process for too long; try again',
  runtime: 'needs the SQLite of Node 24.15 or newer',
};

/** What processes share about venues; a step is added as above. */
const LIMITS_MIGRATIONS = [POLICY_1];

/**
 * Opens the state of a data directory, creating it when it is new.
 * @throws StateError (STATE_UNUSABLE) when the file is not ours to use; it is left as it was.
 */
export const openState = (path: string): Store => refusing(path, REFUSALS, () => openSqliteStore({ path, migrations: MIGRATIONS }));

/**
 * Opens what processes share about venues. After a power loss its last seconds may be forgotten: an
 * answer's headers tell them again.
 * @throws StateError (STATE_UNUSABLE) as above.
 */
export const openLimits = (path: string): Store =>
  refusing(path, { ...REFUSALS, damaged: 'is damaged or not a database; it holds no candles: once every Candlekeep has stopped, delete it' }, () =>
    openSqliteStore({ path, migrations: LIMITS_MIGRATIONS, applicationName: 'candlekeep limits', durability: 'relaxed' }));

function refusing(path: string, refusals: typeof REFUSALS, open: () => Store): Store {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof StoreRefusedError)) throw error;
    throw new StateError(`${path} ${refusals[error.reason]}`, { path, reason: error.reason }, { cause: error });
  }
}
