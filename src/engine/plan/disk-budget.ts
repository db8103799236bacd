import type { Exchange } from '../../domain/exchange.ts';
import { candlesIn } from '../../domain/range.ts';
import { StorageError } from '../../errors/errors.ts';
import type { Interval } from '../../domain/interval.ts';
import type { Period } from '../../domain/partition.ts';
import type { Pipeline } from '../core/pipeline.ts';
import type { SeriesPlan } from './work-plan.ts';

// Measured on a recorded month of 1h candles: 61 bytes in bronze and 32 in silver. The rest is for state and index.
const BYTES_PER_CANDLE = 100;
/** Room for the database's log, scratch files and other programs. */
const RESERVE_BYTES = 4_000_000;

/** The data that a run will fetch and rebuild. */
export interface DiskDemand {
  readonly exchange: Exchange;
  readonly interval: Interval;
  readonly periods: readonly Period[];
  readonly plans: readonly SeriesPlan[];
}

/** Upper bound: the candles of the run, and a second copy of the largest file it rebuilds. */
function bytesNeeded({ ports, lake }: Pipeline, { exchange, interval, periods, plans }: DiskDemand): number {
  const candles = plans.flatMap(({ toFetch }) => toFetch).reduce((sum, range) => sum + candlesIn(range, interval), 0);
  const paths = periods
    .map((period) => lake.at(lake.silverFile({ exchange, interval, period })))
    .filter((path) => ports.files.exists(path));
  return candles * BYTES_PER_CANDLE + Math.max(0, ...paths.map((path) => ports.files.sizeBytes(path))) + RESERVE_BYTES;
}

/** @throws StorageError (STORAGE_FAILED) before the first request when the disk would not hold the candles. */
export function requireRoom(pipeline: Pipeline, demand: DiskDemand): void {
  const { root } = pipeline.lake;
  if (demand.plans.every(({ toFetch }) => toFetch.length === 0)) return;
  const [needed, free] = [bytesNeeded(pipeline, demand), pipeline.ports.files.freeBytes(root)];
  if (free >= needed) return;
  throw new StorageError(
    `${root} has ${megabytes(free)} free and this run needs ${megabytes(needed)}; nothing was requested and stored ` +
      'candles are safe: free some space and run the same command again',
    { path: root, errno: 'ENOSPC' },
  );
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
