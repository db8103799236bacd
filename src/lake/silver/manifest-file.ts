import { join } from 'node:path';
import { tempBeside, writeAtomic } from '../../platform/atomic-write.ts';
import { manifestOf } from '../manifest.ts';
import type { PeriodKey } from '../layout.ts';
import type { SilverContext } from './silver-context.ts';

/**
 * Writes `manifest.json` beside the periods: the manifest for readers without the store. It lists every file, so it
 * is written once per run; after a kill the next run writes it. The transaction serialises processes that share the
 * directory.
 */
export const writeManifestFile = (
  { ports: { files, store }, lake }: Pick<SilverContext, 'ports' | 'lake'>,
  { exchange, interval }: Omit<PeriodKey, 'period'>,
): Promise<void> =>
  store.transact(function* writeManifestFile() {
    const path = lake.at(join(lake.silverIntervalDirectory(exchange, interval), 'manifest.json'));
    const entries = yield* manifestOf(exchange, interval);
    const bytes = Buffer.from(`${JSON.stringify({ schema: 1, exchange, interval, files: entries }, null, 1)}\n`);
    files.remove(tempBeside(path));
    const isThere = files.exists(path);
    if (isThere ? !bytes.equals(files.read(path)) : entries.length > 0) writeAtomic(files, path, bytes);
  });
