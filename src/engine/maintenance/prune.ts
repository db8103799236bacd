import { basename, dirname } from 'node:path';
import { DAY_MS } from '../../domain/interval.ts';
import { dayOf, daysBetween, periodOf } from '../../domain/partition.ts';
import { countOldEntries, deleteOldEntries, type OldEntries } from '../../state/log-retention.ts';
import { releaseLeases } from '../../state/leases.ts';
import { readResponse, readStoredRows } from '../../lake/bronze/stored-responses.ts';
import { everyPage, deletePages, movePages, type PageEntry } from '../../lake/bronze/page-index.ts';
import { supersededOf, type ResponseRows } from '../../lake/bronze/superseded.ts';
import { claimSegment } from '../../lake/bronze/writer.ts';
import { periodLease } from '../../lake/layout.ts';
import { validateRow } from '../../lake/quality/row-rules.ts';
import { filesBelow } from './lake-files.ts';
import { exclusively } from './maintenance.ts';
import { takeLeasesNow } from '../core/lease-keeping.ts';
import type { Pipeline } from '../core/pipeline.ts';

export interface PruneOptions {
  /** Younger entries stay in any case. */
  readonly keepDays: number;
  readonly effect: 'remove' | 'count';
}

/** Removed data; without `remove`, the data that would be removed. */
export interface PruneReport extends OldEntries {
  readonly rejected: number;
  readonly superseded: number;
  /** Segments without an index row: leftovers of an interrupted prune, or responses that were never indexed. */
  readonly orphans: number;
  readonly bytes: number;
  /** Segments that a run was using or that hold damaged bytes; left as they are. */
  readonly untouched: readonly string[];
}

/**
 * Removes responses from bronze that no silver file needs (rejected or superseded ones), and old faults and runs from
 * the state. The rest of a segment is copied first, then the index changes, then the old segment is removed: after a
 * crash at least one copy is left.
 * @throws CellsLeasedError (CELLS_LEASED) while another process prunes or repairs.
 */
export const prune = (pipeline: Pipeline, options: PruneOptions, signal: AbortSignal): Promise<PruneReport> =>
  exclusively(pipeline, signal, () => pruneAlone(pipeline, options));

async function pruneAlone(pipeline: Pipeline, { keepDays, effect }: PruneOptions): Promise<PruneReport> {
  const { store, clock } = pipeline.ports;
  const beforeMs = clock.nowMs() - keepDays * DAY_MS;
  const pages = await store.read(everyPage);
  const rejected = pages.filter(
    (page) => page.rejected !== null && page.rejected !== 'ANSWER_DAMAGED' && page.fetchedAtMs < beforeMs,
  );
  const superseded = supersededPages(pipeline, pages).filter((page) => page.fetchedAtMs < beforeMs);
  const gone = new Set([...rejected, ...superseded].map(({ id }) => id));
  const bySegment = Map.groupBy(pages, ({ segment }) => segment);
  const orphans = orphanSegments(pipeline, bySegment, dayOf(beforeMs));
  const old = await store.read(countOldEntries, beforeMs);
  const sizes = orphans.map((segment) => pipeline.ports.files.sizeBytes(pipeline.lake.at(segment)));
  const bytes =
    [...rejected, ...superseded].reduce((sum, page) => sum + page.length, 0) +
    sizes.reduce((sum, size) => sum + size, 0);
  const report = { ...old, rejected: rejected.length, superseded: superseded.length, orphans: orphans.length, bytes };
  if (effect === 'count') return { ...report, untouched: [] };
  const untouched: string[] = [];
  for (const [segment, own] of bySegment) {
    if (own.some(({ id }) => gone.has(id)) && !(await rewriteSegment(pipeline, { segment, pages: own, gone })))
      untouched.push(segment);
  }
  for (const segment of orphans) removeFile(pipeline, segment);
  await store.transact(deleteOldEntries, beforeMs);
  return { ...report, untouched };
}

function supersededPages(pipeline: Pipeline, pages: readonly PageEntry[]): PageEntry[] {
  const series = Map.groupBy(
    pages.filter(({ rejected }) => rejected === null),
    (page) => `${page.series.exchange} ${page.series.interval} ${page.series.symbol}`,
  );
  return [...series.values()].flatMap((own) => {
    const read = new Map<string, ResponseRows | null>();
    return supersededOf(own, (page) => {
      if (!read.has(page.id)) read.set(page.id, rowsOf(pipeline, page));
      return read.get(page.id) ?? null;
    });
  });
}

function rowsOf({ ports, lake, venues }: Pipeline, page: PageEntry): ResponseRows | null {
  const adapter = venues.get(page.series.exchange)?.adapter;
  if (adapter === undefined) return null;
  const stored = readStoredRows(ports.files, lake, adapter, page);
  if (!stored.ok) return null;
  const validated = stored.rows.map((row) => ({
    row,
    errors: validateRow(row, page.series, { fetchedAtMs: page.fetchedAtMs }).errors,
  }));
  return {
    valid: new Set(validated.filter(({ errors }) => errors.length === 0).map(({ row }) => row.openTimeMs)),
    hasForeign: validated.some(({ errors }) => errors.includes('off-grid')),
  };
}

function orphanSegments(pipeline: Pipeline, named: ReadonlyMap<string, unknown>, beforeDay: string): string[] {
  const isOld = (segment: string): boolean => basename(dirname(segment)) < `fetched=${beforeDay}`;
  return filesBelow(pipeline, 'bronze').filter((path) => path.endsWith('.zst') && !named.has(path) && isOld(path));
}

interface SegmentWork {
  readonly segment: string;
  readonly pages: readonly PageEntry[];
  readonly gone: ReadonlySet<string>;
}

/** False when a run is using a response of the segment, or when bytes to keep are damaged. */
async function rewriteSegment(pipeline: Pipeline, { segment, pages, gone }: SegmentWork): Promise<boolean> {
  const { ports, lake } = pipeline;
  const { files, store } = ports;
  const owner = ports.ids.next('prune');
  const { refused } = await takeLeasesNow(ports, owner, leasesOf(pages));
  try {
    const kept = pages.filter(({ id }) => !gone.has(id));
    if (refused.length > 0 || !kept.every((page) => readResponse(files, lake, page).ok)) return false;
    const moved = kept.length === 0 ? [] : copyResponses(pipeline, segment, kept);
    await store.transact(function* pruneSegment() {
      yield* movePages(moved);
      yield* deletePages(pages.filter(({ id }) => gone.has(id)).map(({ id }) => id));
    });
    removeFile(pipeline, segment);
    return true;
  } finally {
    await store.transact(releaseLeases, owner);
  }
}

/** Leases of the periods whose files are made from these responses. */
function leasesOf(pages: readonly PageEntry[]): string[] {
  const used = pages.filter(({ rejected }) => rejected === null);
  return [
    ...new Set(
      used.flatMap(({ series: { exchange, interval }, range }) =>
        daysBetween(dayOf(range.fromMs), dayOf(range.toMs - 1)).map((day) =>
          periodLease({ exchange, interval, period: periodOf(day, interval) }),
        ),
      ),
    ),
  ];
}

/** Copies responses byte for byte into a new segment; returns their new places. */
function copyResponses({ ports, lake }: Pipeline, segment: string, kept: readonly PageEntry[]): PageEntry[] {
  const { files } = ports;
  const to = claimSegment(ports, lake, dirname(segment));
  const moved = kept.map((page) => ({
    ...page,
    segment: to,
    offset: files.append(lake.at(to), files.readSlice(lake.at(segment), page.offset, page.length)),
  }));
  files.fsync(lake.at(to));
  return moved;
}

function removeFile({ ports, lake }: Pipeline, path: string): void {
  ports.files.remove(lake.at(path));
  ports.files.fsyncDirectory(dirname(lake.at(path)));
}
