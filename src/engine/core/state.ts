import type { Files } from '../../platform/ports/files.ts';
import type { OpenStore, Operation, Store } from '../../platform/ports/store.ts';
import { first } from '../../platform/statements.ts';
import { StoreRefusedError, type StoreRefusal } from '../../platform/store-errors.ts';
import { BRONZE_1 } from '../../lake/bronze/page-index.ts';
import type { Lake } from '../../lake/layout.ts';
import { LAKE_1 } from '../../lake/manifest.ts';
import { ALERTS_1 } from '../../alerting/model/schema.ts';
import { METRICS_1 } from '../../metrics/schema.ts';
import { StateError } from '../../errors/errors.ts';
import { MARKETS_1 } from '../../state/resolved-symbols.ts';
import { POLICY_MIGRATIONS } from '../../resilience/schema.ts';
import { LEDGER_1 } from '../../state/schema.ts';

/** The schema in the order it was released. New migrations are appended, never inserted. */
const MIGRATIONS = [LEDGER_1, BRONZE_1, LAKE_1, MARKETS_1, ALERTS_1, METRICS_1];

const REFUSALS: Readonly<Record<StoreRefusal, string>> = {
  newer: 'was written by a newer Candlekeep; use that version or another --data-dir',
  foreign: 'is a database of another program; name another --data-dir',
  damaged:
    'is damaged or not a database; restore a copy of it, or move it away and run candlekeep repair. ' +
    'Bronze and silver beside it are complete',
  busy: 'is held by another process for too long; try again',
  runtime: 'needs the SQLite of Node 24.15 or newer',
};

/**
 * Opens the state, but refuses an empty one beside stored candles: every silver file would be rebuilt from the
 * next few responses alone. Nothing is opened when the file is absent.
 * @throws StateError (STATE_UNUSABLE).
 */
export async function refuseLostState(files: Files, lake: Lake, open: () => Store): Promise<Store> {
  const isUsed = ['bronze', 'silver'].some((layer) => files.list(lake.at(layer)).length > 0);
  const lost = new StateError(
    `${lake.state} has no record of the candles beside it; run candlekeep repair, or restore a copy of it`,
    { path: lake.state, reason: 'lost' },
  );
  if (isUsed && (!files.exists(lake.state) || files.sizeBytes(lake.state) === 0)) throw lost;
  const store = open();
  if (!isUsed || !(await store.read(isUntouched))) return store;
  store.close();
  throw lost;
}

function* isUntouched(): Operation<boolean> {
  const row = yield* first<{ known: number }>(
    `select exists(select 1 from runs) or exists(select 1 from bronze_pages)
         or exists(select 1 from silver_manifest) as known`,
  );
  return Number(row?.known) === 0;
}

/**
 * Opens the state of a data directory, creating it when it is new.
 * @throws StateError (STATE_UNUSABLE) when the file is not ours to use; it is left as it was.
 */
export const openState = (openStore: OpenStore, path: string): Store =>
  refusing(path, REFUSALS, () => openStore({ path, migrations: MIGRATIONS }));

/**
 * Opens the limits that processes share. A power loss may lose its last seconds; the headers of the next
 * response restore them.
 * @throws StateError (STATE_UNUSABLE) as above.
 */
export const openLimits = (openStore: OpenStore, path: string): Store =>
  refusing(
    path,
    {
      ...REFUSALS,
      damaged: 'is damaged or not a database; it holds no candles: once every Candlekeep has stopped, delete it',
    },
    () =>
      openStore({
        path,
        migrations: POLICY_MIGRATIONS,
        applicationName: 'candlekeep limits',
        durability: 'relaxed',
      }),
  );

function refusing(path: string, refusals: typeof REFUSALS, open: () => Store): Store {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof StoreRefusedError)) throw error;
    throw new StateError(`${path} ${refusals[error.reason]}`, { path, reason: error.reason }, { cause: error });
  }
}
