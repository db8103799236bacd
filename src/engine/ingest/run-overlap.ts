import type { Exchange } from '../../domain/exchange.ts';
import type { Interval } from '../../domain/interval.ts';
import type { Day } from '../../domain/partition.ts';
import { bothSettled } from '../../platform/concurrency.ts';
import type { Page } from '../../exchanges/adapter.ts';
import { trackPages, type PageProgress } from './page-progress.ts';

/** Runs in progress at the same time: one requests; those before it wait for late responses or write files. */
const RUNS_CONCURRENT_MAX = 4;

/** What a run shares with the runs that overlap it. */
export interface OverlappingRun {
  /** Names of the leases it needs. Runs that need the same lease never overlap. */
  readonly leases: ReadonlySet<string>;
  /** The exchanges it requests from. */
  readonly exchanges: Iterable<Exchange>;
  readonly interval: Interval;
  readonly firstDay: Day;
  /** Its number among the runs of the command, from 1, and how many there are. */
  readonly position: { readonly run: number; readonly runs: number };
}

/** One run's view of the runs beside it, from the run down to its pages. */
export interface RunSlot {
  readonly position: OverlappingRun['position'];
  /** Counts the pages of one exchange. The exchange counts as requested once its last page is in flight. */
  track(exchange: Exchange, pages: readonly Page[]): PageProgress;
  /** Nothing is left to request from this exchange. When that is true of every exchange, the next run may begin. */
  requested(exchange: Exchange): void;
  /** Resolves when all earlier runs have ended: files are written in run order. @throws their first error. */
  mayWrite(): Promise<void>;
}

/** Lets the runs of one command overlap: requests continue while files are written or a late page is awaited. */
export interface RunOverlap {
  /** Resolves when a run that needs these leases may begin. @throws the first error of an earlier run. */
  admit(leases: ReadonlySet<string>): Promise<void>;
  /** Begins an admitted run. Resolves when it has requested everything or ended. @throws the first error so far. */
  begin(run: OverlappingRun, execute: (slot: RunSlot) => Promise<void>): Promise<void>;
  /** Resolves when every run has ended. @throws the first error, in the order of the runs. */
  allEnded(): Promise<void>;
}

export function overlapRuns(): RunOverlap {
  /** `ended` settles when the run and all runs before it have ended. */
  const begun: { readonly leases: ReadonlySet<string>; readonly ended: Promise<unknown> }[] = [];
  /** Resolves when all begun runs but the last `count` have ended. @throws their first error. */
  const allButLastEnded = async (count: number): Promise<void> => {
    await begun.at(-1 - count)?.ended;
  };
  return {
    admit: (leases) => {
      const others = begun.slice(1 - RUNS_CONCURRENT_MAX);
      const isFree = others.every((other) => leases.isDisjointFrom(other.leases));
      return allButLastEnded(isFree ? RUNS_CONCURRENT_MAX - 1 : 0);
    },
    begin: async (run, execute) => {
      const earlier = allButLastEnded(0);
      const requested = Promise.withResolvers<void>();
      const ended = bothSettled(earlier, execute(slotOf(run, { earlier, onRequested: requested.resolve })));
      begun.push({ leases: run.leases, ended });
      await Promise.race([requested.promise, ended]);
    },
    allEnded: () => allButLastEnded(0),
  };
}

function slotOf(
  { exchanges, interval, firstDay, position }: OverlappingRun,
  { earlier, onRequested }: { readonly earlier: Promise<void>; readonly onRequested: () => void },
): RunSlot {
  const requesting = new Set(exchanges);
  const requested = (exchange: Exchange): void => {
    if (requesting.delete(exchange) && requesting.size === 0) onRequested();
  };
  return {
    position,
    requested,
    track: (exchange, pages) => trackPages({ pages, interval, firstDay }, () => requested(exchange)),
    mayWrite: () => earlier,
  };
}
