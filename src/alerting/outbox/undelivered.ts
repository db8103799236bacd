import type { Clock } from '../../platform/ports/clock.ts';
import type { Files } from '../../platform/ports/files.ts';
import type { Store } from '../../platform/ports/store.ts';
import { BUNDLE_MAX, markUndelivered, undeliverableMessages, type Undeliverable } from './outbox.ts';

/**
 * Writes what no channel takes beside the state, one JSON line for each message: the last resort of
 * who looks at the disk because nothing was heard. The messages stay in the outbox. A crash between
 * the line and its mark may write the line twice, under the same id.
 */
export async function writeUndelivered(
  { clock, files, store }: { readonly clock: Clock; readonly files: Files; readonly store: Store },
  path: string,
  which: Undeliverable,
): Promise<number> {
  const messages = await store.read('undeliverableMessages', () => undeliverableMessages(which, BUNDLE_MAX));
  if (messages.length === 0) return 0;
  if (!files.exists(path)) files.write(path, new Uint8Array());
  const lines = messages.map(({ id, channel, attempts, createdAtMs, lastError, notification }) =>
    JSON.stringify({ id, channel, attempts, at: new Date(createdAtMs).toISOString(), lastError, notice: notification }),
  );
  files.append(path, Buffer.from(`${lines.join('\n')}\n`));
  files.fsync(path);
  await store.transact('markEscaped', () => markUndelivered(messages, clock.nowMs()));
  return messages.length;
}
