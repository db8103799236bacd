import { dirname } from 'node:path';
import type { Files } from '../platform/ports/files.ts';
import type { Operation, Store } from '../platform/ports/store.ts';
import { all, exec, first } from '../platform/statements.ts';
import type { Lake } from './layout.ts';

/** Append-only files of the data directory: one JSON document per line, each exactly once. */
export const JOURNALS = ['corrections.ndjson', 'decisions.ndjson'] as const;
type JournalName = (typeof JOURNALS)[number];

interface JournalRow {
  readonly seq: number;
  readonly line: string;
}

/** Adds a line to the stored journal, in the transaction of its change. `flushJournal` writes it to the file. */
export function* writeJournal(name: JournalName, document: object): Operation<void> {
  const last = yield* first<{ seq: number | null }>('select max(seq) as seq from journal where name = $1', name);
  yield* exec(
    'insert into journal (name, seq, line) values ($1, $2, $3)',
    name,
    (last?.seq ?? 0) + 1,
    `${JSON.stringify(document)}\n`,
  );
}

/**
 * Appends the lines that the store has and the file lacks, exactly once. The store knows where the last confirmed
 * line ends; bytes that a crash left behind it are the beginning of the next lines, so only the rest is written. The
 * transaction serialises processes.
 */
export async function flushJournal(
  { store, files }: { readonly store: Store; readonly files: Files },
  lake: Lake,
  name: JournalName,
): Promise<void> {
  if ((await store.read(waitingLines, name)).length === 0) return;
  await store.transact(function* flushJournal() {
    const waiting = yield* waitingLines(name);
    const confirmed = yield* first<{ byte_end: number }>(
      'select byte_end from journal where name = $1 and byte_end is not null order by seq desc limit 1',
      name,
    );
    let endsAt = appendRest(files, lake.at(name), {
      bytes: Buffer.from(waiting.map(({ line }) => line).join('')),
      confirmedBytes: confirmed?.byte_end ?? 0,
    });
    for (const { seq, line } of waiting.toReversed()) {
      yield* exec('update journal set byte_end = $3 where name = $1 and seq = $2', name, seq, endsAt);
      endsAt -= Buffer.byteLength(line);
    }
  });
}

/** Every line of the file, parsed; lines that are not JSON are skipped. */
export function readJournal(files: Files, lake: Lake, name: JournalName): readonly unknown[] {
  const path = lake.at(name);
  if (!files.exists(path)) return [];
  return Buffer.from(files.read(path))
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as unknown];
      } catch (error) {
        if (error instanceof SyntaxError) return [];
        throw error;
      }
    });
}

function* waitingLines(name: JournalName): Operation<readonly JournalRow[]> {
  return yield* all<JournalRow>(
    'select seq, line from journal where name = $1 and byte_end is null order by seq',
    name,
  );
}

/** Returns the size of the file afterwards. */
function appendRest(
  files: Files,
  path: string,
  { bytes, confirmedBytes }: { readonly bytes: Buffer; readonly confirmedBytes: number },
): number {
  if (!files.exists(path)) files.write(path, new Uint8Array());
  const sizeBytes = files.sizeBytes(path);
  const left =
    sizeBytes > confirmedBytes
      ? Buffer.from(files.readSlice(path, confirmedBytes, sizeBytes - confirmedBytes))
      : Buffer.alloc(0);
  const isBeginning = sizeBytes >= confirmedBytes && left.equals(bytes.subarray(0, left.length));
  // Text that another program appended stays; ours starts on a new line.
  const rest = isBeginning
    ? bytes.subarray(left.length)
    : left.length > 0 && left.at(-1) !== NEWLINE
      ? Buffer.concat([Buffer.from('\n'), bytes])
      : bytes;
  if (rest.length > 0) files.append(path, rest);
  files.fsync(path);
  files.fsyncDirectory(dirname(path));
  return files.sizeBytes(path);
}

const NEWLINE = 10;
