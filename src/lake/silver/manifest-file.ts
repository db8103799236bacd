import { join } from 'node:path';
import { tempBeside, writeAtomic } from '../../platform/atomic-write.ts';
import { manifestOf } from '../manifest.ts';
import type { PeriodKey } from '../layout.ts';
import type { SilverContext } from './silver-context.ts';

/**
 * `manifest.json` beside the periods: the store's rows for people and programs without the store. It names every
 * file there is, so it is written once a run and not with each of them; after a kill the next run makes up
 * for it. Processes that share the directory take turns in the transaction.
 */
export const writeManifestFile = (
  { ports: { files, store }, lake }: Pick<SilverContext, 'ports' | 'lake'>,
  { exchange, interval }: Omit<PeriodKey, 'period'>,
): Promise<void> =>
  store.transact('writeManifestFile', function* () {
    const path = lake.at(join(lake.silverIntervalDirectory(exchange, interval), 'manifest.json'));
    const entries = yield* manifestOf(exchange, interval);
    const bytes = Buffer.from(`${JSON.stringify({ schema: 1, exchange, interval, files: entries }, null, 1)}\n`);
    files.remove(tempBeside(path));
    const isThere = files.exists(path);
    if (isThere ? !bytes.equals(files.read(path)) : entries.length > 0) writeAtomic(files, path, bytes);
  });
