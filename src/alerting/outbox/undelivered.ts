import type { Clock } from '../../platform/ports/clock.ts';
import type { Files } from '../../platform/ports/files.ts';
import type { Store } from '../../platform/ports/store.ts';
import { BUNDLE_MAX, markUndelivered, undeliverableMessages, type Undeliverable } from './outbox.ts';

/**
 * Appends messages that no channel accepts to a file beside the state, one JSON line each: the last resort for an
 * operator who gets no alerts and looks at the disk. The messages stay in the outbox. A crash between the append and
 * the mark may write a line twice, under the same id.
 */
export async function writeUndelivered(
  { clock, files, store }: { readonly clock: Clock; readonly files: Files; readonly store: Store },
  path: string,
  which: Undeliverable,
): Promise<number> {
  const messages = await store.read(undeliverableMessages, which, BUNDLE_MAX);
  if (messages.length === 0) return 0;
  if (!files.exists(path)) files.write(path, new Uint8Array());
  const lines = messages.map(({ id, channel, attempts, createdAtMs, lastError, notification }) =>
    JSON.stringify({ id, channel, attempts, at: new Date(createdAtMs).toISOString(), lastError, notice: notification }),
  );
  files.append(path, Buffer.from(`${lines.join('\n')}\n`));
  files.fsync(path);
  await store.transact(markUndelivered, messages, clock.nowMs());
  return messages.length;
}
