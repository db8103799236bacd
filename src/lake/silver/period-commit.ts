import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { tempBeside } from '../../platform/atomic-write.ts';
import { recordCells } from '../../state/cells.ts';
import type { CellState } from '../../domain/cell.ts';
import { checkFence } from '../../state/runs.ts';
import { silverColumns } from '../candle-columns.ts';
import type { PeriodKey } from '../layout.ts';
import { flushJournal, writeJournal } from '../journal.ts';
import { deleteManifest, recordManifest, type ManifestEntry } from '../manifest.ts';
import { quarantineColumns } from '../quarantine-columns.ts';
import type { SilverContext } from './silver-context.ts';
import type { PeriodRows, RevisedRow } from './period.ts';
import { summaryOf } from './summary.ts';

/** The rows and cells of a period, and its manifest entry before the run. */
export interface PeriodResult {
  readonly period: PeriodRows;
  readonly cells: readonly CellState[];
  readonly before: ManifestEntry | null;
}

/**
 * Makes the files of a period hold exactly these rows, and the ledger these cells. The files are renamed inside the
 * transaction that changes manifest row and cells. A kill between rename and commit leaves the new file with the old
 * manifest row and cells, until the run's retry commits them. A file that differs on disk is written again, whatever
 * changed it; leftovers of a crash beside it are removed.
 */
export async function commitPeriod(
  context: SilverContext,
  key: PeriodKey,
  { period, cells, before }: PeriodResult,
): Promise<void> {
  const { ports, lake, fence } = context;
  const { parquet, store, clock } = ports;
  const bytes = period.rows.length === 0 ? null : await parquet.encode(silverColumns(period.rows));
  const quarantine =
    period.quarantined.length === 0 ? null : await parquet.encode(quarantineColumns(period.quarantined));
  await clock.yieldToEventLoop();
  const entry =
    bytes === null
      ? null
      : entryOf({ key, path: lake.silverFile(key), period, bytes, before, runId: fence.runId, nowMs: clock.nowMs() });
  const moves = [
    prepareFile(context, lake.silverFile(key), bytes),
    prepareFile(context, lake.quarantineFile(key), quarantine),
  ];
  await store.transact(function* commitSilver() {
    yield* checkFence(fence);
    for (const move of moves) move();
    yield* entry === null ? deleteManifest(key) : recordManifest(entry);
    for (const revised of entry === null ? [] : period.revisions)
      yield* writeJournal('corrections.ndjson', correctionOf(context, revised, { before, entry, atMs: clock.nowMs() }));
    yield* recordCells(cells, { runId: fence.runId, nowMs: clock.nowMs() });
  });
  await flushJournal(ports, lake, 'corrections.ndjson');
}

/** One line of `corrections.ndjson`. */
function correctionOf(
  { fence, trigger }: SilverContext,
  { before, after }: RevisedRow,
  at: { readonly before: ManifestEntry | null; readonly entry: ManifestEntry | null; readonly atMs: number },
): object {
  const { exchange, symbol, interval, openTimeMs } = after.row;
  return {
    v: 1,
    at: new Date(at.atMs).toISOString(),
    exchange,
    symbol,
    interval,
    timestamp: new Date(openTimeMs).toISOString(),
    cause: trigger,
    run_id: fence.runId,
    revision: at.entry?.revision ?? null,
    old: valuesOf(before),
    new: valuesOf(after),
    old_rows_sha256: at.before?.rowsSha256 ?? null,
    new_rows_sha256: at.entry?.rowsSha256 ?? null,
  };
}

const valuesOf = ({
  row: { open, high, low, close, volume, quoteVolume, trades },
  raw,
}: RevisedRow['before']): object => ({ open, high, low, close, volume, quote_volume: quoteVolume, trades, raw });

/**
 * Writes bytes to a temporary file, unless the target holds them already, and returns the move to the target.
 * Null bytes mean that there must be no file.
 */
function prepareFile({ ports, lake }: SilverContext, path: string, bytes: Uint8Array | null): () => void {
  const { files } = ports;
  const target = lake.at(path);
  const temp = tempBeside(target);
  files.remove(temp);
  if (bytes === null) {
    return () => {
      if (files.exists(target)) files.remove(target);
    };
  }
  if (files.exists(target) && Buffer.from(files.read(target)).equals(bytes)) return () => undefined;
  files.write(temp, bytes);
  files.fsync(temp);
  return () => {
    files.rename(temp, target);
    files.fsyncDirectory(dirname(target));
  };
}

function entryOf(made: {
  key: PeriodKey;
  path: string;
  period: PeriodRows;
  bytes: Uint8Array;
  before: ManifestEntry | null;
  runId: string;
  nowMs: number;
}): ManifestEntry {
  const { key, period, before } = made;
  const summary = summaryOf(period);
  const sha256 = createHash('sha256').update(made.bytes).digest('hex');
  const written =
    before?.sha256 === sha256
      ? { runId: before.runId, writtenAtMs: before.writtenAtMs }
      : { runId: made.runId, writtenAtMs: made.nowMs };
  return {
    ...key,
    ...summary,
    ...written,
    path: made.path,
    revision: before === null ? 1 : before.revision + (before.rowsSha256 === summary.rowsSha256 ? 0 : 1),
    sha256,
    bytes: made.bytes.length,
    duplicates: period.duplicates,
    released: period.released,
    inputs: period.inputs,
  };
}
