import type { Exchange } from '../../domain/exchange.ts';
import type { Interval } from '../../domain/interval.ts';
import { dayOf } from '../../domain/partition.ts';
import { readResponse, rowsOfResponse, scanSegment, type FoundResponse } from '../../lake/bronze/stored-responses.ts';
import {
  coveredSeries,
  everyPage,
  hullOfTimes,
  markDamaged,
  recordPages,
  restorePages,
  type PageEntry,
} from '../../lake/bronze/page-index.ts';
import { readJournal } from '../../lake/journal.ts';
import { wholeManifest } from '../../lake/manifest.ts';
import { isDecision, recordDecisions } from '../../lake/quarantine-decisions.ts';
import { worstEnding, type Ending } from '../core/ending.ts';
import { exclusively } from './maintenance.ts';
import { executeAll } from '../runs/materialise.ts';
import { chunksOf } from '../core/chunks.ts';
import { filesBelow } from './lake-files.ts';
import type { Pipeline } from '../core/pipeline.ts';
import type { Control, WorkResult } from '../core/work.ts';

/** Bytes of a segment that hold no readable response. */
export interface DamagedBytes {
  readonly segment: string;
  readonly offset: number;
  readonly length: number;
}

/** Findings and changes of a repair. */
export interface RepairReport {
  readonly segments: number;
  /** Whole responses found. */
  readonly responses: number;
  /** Responses that the index did not have. */
  readonly indexed: number;
  /** Responses taken into use again, or found at another place. */
  readonly restored: number;
  /** Used responses that cannot be read any more: taken out of use, their candles are requested again. */
  readonly lost: number;
  readonly damaged: readonly DamagedBytes[];
  /** Incomplete responses that crashes left at the ends of segments, in bytes. */
  readonly tornBytes: number;
  /** Silver files without a response in bronze; left as they are. */
  readonly unexplained: readonly string[];
  readonly work: WorkResult;
}

/** Lost responses and damaged bytes make a repair partial, even if all its runs succeed. */
export const endingOfRepair = ({ work, lost, damaged }: RepairReport): Ending =>
  worstEnding([work.ending, ...(lost > 0 || damaged.length > 0 ? ['partial' as const] : [])]);

/**
 * Rebuilds index, manifest and ledger from the responses in bronze, and every silver file that differs from them.
 * Sends no request to an exchange. The index changes in one transaction, so after a crash the state is either
 * unrepaired or complete. An interrupted repair continues when it is run again.
 * @throws CellsLeasedError (CELLS_LEASED) while another process prunes or repairs.
 */
export const repair = (pipeline: Pipeline, control: Control): Promise<RepairReport> =>
  exclusively(pipeline, control.signal, () => repairAlone(pipeline, control));

async function repairAlone(pipeline: Pipeline, control: Control): Promise<RepairReport> {
  const { store } = pipeline.ports;
  // Read before the scan: a page that a run indexes from now on is not a loss.
  const known = await store.read(everyPage);
  const found = scanBronze(pipeline);
  const changes = indexChanges(pipeline, found.pages, known);
  const decisions = readJournal(pipeline.ports.files, pipeline.lake, 'decisions.ndjson').filter(isDecision);
  await store.transact(function* repairIndex() {
    yield* recordDecisions(decisions);
    yield* recordPages(changes.missing);
    yield* restorePages(changes.restored);
    yield* markDamaged(changes.lost.map(({ id }) => id));
  });
  const work = await accountForBronze(pipeline, control);
  return {
    segments: found.segments,
    responses: found.pages.length,
    indexed: changes.missing.length,
    restored: changes.restored.length,
    lost: changes.lost.length,
    damaged: found.damaged,
    tornBytes: found.tornBytes,
    unexplained: await unexplainedFiles(pipeline),
    work,
  };
}

interface BronzeScan {
  readonly segments: number;
  readonly pages: readonly PageEntry[];
  readonly damaged: readonly DamagedBytes[];
  readonly tornBytes: number;
}

function scanBronze(pipeline: Pipeline): BronzeScan {
  const { files } = pipeline.ports;
  const pages: PageEntry[] = [];
  const damaged: DamagedBytes[] = [];
  let tornBytes = 0;
  const segments = filesBelow(pipeline, 'bronze').filter((path) => path.endsWith('.zst'));
  for (const segment of segments) {
    const scan = scanSegment(files.read(pipeline.lake.at(segment)));
    for (const response of scan.responses) pages.push(pageOf(pipeline, segment, response));
    damaged.push(...scan.damaged.map((place) => ({ segment, ...place })));
    tornBytes += scan.tornBytes;
  }
  return { segments: segments.length, pages, damaged, tornBytes };
}

/** The index entry of a found response. One that was used and that the reader rejects now is damaged. */
function pageOf({ venues }: Pipeline, segment: string, { stored, offset, length, sha256 }: FoundResponse): PageEntry {
  const { exchange, symbol, interval } = stored;
  const page = {
    series: { exchange, symbol, interval },
    range: { fromMs: Date.parse(stored.from), toMs: Date.parse(stored.to) },
    fetchedAtMs: Date.parse(stored.fetched_at),
  };
  const adapter = venues.get(exchange)?.adapter;
  const read = stored.rejected !== null || adapter === undefined ? null : rowsOfResponse(adapter, stored, page);
  const openTimesMs = read?.ok === true ? read.rows.map((row) => row.openTimeMs) : null;
  return {
    ...page,
    id: stored.id,
    rejected: openTimesMs === null ? (stored.rejected ?? 'ANSWER_DAMAGED') : null,
    rows: openTimesMs?.length ?? 0,
    hull: hullOfTimes(openTimesMs ?? []),
    segment,
    offset,
    length,
    sha256,
    runId: stored.run_id,
  };
}

function indexChanges(
  { ports, lake }: Pipeline,
  found: readonly PageEntry[],
  known: readonly PageEntry[],
): Readonly<Record<'missing' | 'restored' | 'lost', readonly PageEntry[]>> {
  const indexed = new Map(known.map((page) => [page.id, page]));
  const there = new Map(found.map((page) => [page.id, page]));
  const isReadable = (page: PageEntry): boolean => readResponse(ports.files, lake, page).ok;
  const isUsable = ({ id, sha256 }: PageEntry): boolean =>
    there.get(id)?.sha256 === sha256 && there.get(id)?.rejected === null;
  const missing = [...there.values()].filter(({ id }) => !indexed.has(id));
  return {
    missing,
    restored: [...there.values()].filter((page) => {
      const before = indexed.get(page.id);
      if (before?.sha256 !== page.sha256) return false;
      return (page.rejected === null && before.rejected !== null) || !isReadable(before);
    }),
    lost: [
      ...missing.filter(({ rejected }) => rejected === 'ANSWER_DAMAGED'),
      ...known.filter((page) => page.rejected === null && !isUsable(page)),
    ],
  };
}

/** Rebuilds silver and its verdicts from everything in bronze, a chunk of days at a time. */
async function accountForBronze(pipeline: Pipeline, control: Control): Promise<WorkResult> {
  const series = await pipeline.ports.store.read(coveredSeries);
  const known = series.filter(({ exchange }) => pipeline.venues.has(exchange));
  const groups = [...Map.groupBy(known, ({ exchange, interval }) => `${exchange} ${interval}`).values()];
  const planned = groups.flatMap((own) => {
    const { exchange, interval } = own[0] as { readonly exchange: Exchange; readonly interval: Interval };
    const days = {
      start: dayOf(Math.min(...own.map(({ fromMs }) => fromMs))),
      end: dayOf(Math.max(...own.map(({ toMs }) => toMs)) - 1),
    };
    const markets = new Map([[exchange, own.map(({ symbol }) => symbol)]]);
    return chunksOf(days, interval)
      .toReversed()
      .map((chunk) => ({
        interval,
        days: chunk,
        work: {
          days: chunk,
          markets,
          intervals: [interval],
          selection: 'kept',
          waitPolicy: 'all',
          assets: ['silver'],
          trigger: 'repair',
          tags: {},
        } as const,
      }));
  });
  return executeAll(pipeline, planned, control);
}

async function unexplainedFiles(pipeline: Pipeline): Promise<string[]> {
  const manifest = await pipeline.ports.store.read(wholeManifest);
  const explained = new Set(manifest.map(({ path }) => path));
  return filesBelow(pipeline, 'silver').filter((path) => path.endsWith('.parquet') && !explained.has(path));
}
