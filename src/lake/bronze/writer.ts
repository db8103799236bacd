import { dirname, join } from 'node:path';
import type { Ports } from '../../platform/ports/ports.ts';
import { dayOf } from '../../domain/partition.ts';
import { checkFence, type Fence } from '../../state/runs.ts';
import { recordFaults, type FaultEntry } from '../../state/fault-log.ts';
import type { Lake } from '../layout.ts';
import { packResponse, type ResponseToStore } from './responses.ts';
import { hullOfTimes, recordPages, type PageEntry } from './page-index.ts';

/** How long responses are collected to share one fsync and one transaction. Unit: milliseconds. */
const GROUP_MS = 25;
const SEGMENTS_MAX = 9_999;

/** One response to store, with the open times of its rows. */
export interface BronzeItem extends Omit<ResponseToStore, 'id' | 'runId'> {
  /** Open times of the rows, valid or not, in any order. */
  readonly openTimesMs: readonly number[];
}

interface Waiting {
  readonly item: BronzeItem | null;
  readonly faults: readonly FaultEntry[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface BronzeWriter {
  /** Resolves once the response is on disk and in the index, with its faults. `item` is null to record faults alone. */
  keep(item: BronzeItem | null, faults?: readonly FaultEntry[]): Promise<void>;
}

/**
 * Appends responses to a segment that belongs to this run: append, fsync, then index rows and fault log in one fenced
 * transaction. A crash in between leaves bytes without an index row; only `repair` reads them, if they are whole.
 */
export function bronzeWriter(ports: Ports, lake: Lake, fence: Fence): BronzeWriter {
  const { files, clock } = ports;
  const segments = new Map<string, string>();
  let waiting: Waiting[] = [];
  let flushing = false;

  const segmentFor = (item: BronzeItem): string => {
    const { exchange, interval } = item.page.series;
    const directory = lake.bronzeDirectory(exchange, interval, dayOf(item.fetchedAtMs));
    const known = segments.get(directory);
    if (known !== undefined) return known;
    const claimed = claimSegment(ports, lake, directory);
    segments.set(directory, claimed);
    return claimed;
  };

  const append = (item: BronzeItem): PageEntry => {
    const segment = segmentFor(item);
    const id = ports.ids.next('page');
    const { frame, sha256 } = packResponse({ ...item, id, runId: fence.runId }, ports.redact);
    const offset = files.append(lake.at(segment), frame);
    return {
      id,
      series: item.page.series,
      range: item.page.range,
      rejected: item.rejected,
      rows: item.openTimesMs.length,
      hull: hullOfTimes(item.openTimesMs),
      segment,
      offset,
      length: frame.length,
      sha256,
      fetchedAtMs: item.fetchedAtMs,
      runId: fence.runId,
    };
  };

  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      await clock.sleep(GROUP_MS);
      const group = waiting;
      waiting = [];
      try {
        const pages = group.flatMap(({ item }) => (item === null ? [] : [append(item)]));
        for (const segment of new Set(pages.map((page) => page.segment))) files.fsync(lake.at(segment));
        const faults = group.flatMap((one) => one.faults);
        await ports.store.transact(function* recordGroup() {
          yield* checkFence(fence);
          yield* recordPages(pages);
          yield* recordFaults(faults);
        });
        for (const one of group) one.resolve();
      } catch (error) {
        for (const one of group) one.reject(error);
      }
    }
    flushing = false;
  };

  return {
    keep: (item, faults = []) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, faults, resolve, reject });
        if (flushing) return;
        flushing = true;
        void flush();
      }),
  };
}

/** Claims the first free `seg-NNNN.zst` of the directory. Claims are exclusive, so processes never share a segment. */
export function claimSegment(ports: Pick<Ports, 'files'>, lake: Lake, directory: string): string {
  const { files } = ports;
  const taken = files.list(lake.at(directory)).length;
  for (let number = taken + 1; number <= SEGMENTS_MAX; number++) {
    const segment = join(directory, `seg-${String(number).padStart(4, '0')}.zst`);
    try {
      files.claim(lake.at(segment));
      files.fsyncDirectory(dirname(lake.at(segment)));
      return segment;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new RangeError(`${directory} holds ${SEGMENTS_MAX} segments`);
}
