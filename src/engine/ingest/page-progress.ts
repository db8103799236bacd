import type { Interval } from '../../domain/interval.ts';
import { dayStartMs, periodsIn, type Day, type Period } from '../../domain/partition.ts';
import type { Page } from '../../exchanges/adapter.ts';
import type { PageObserver } from '../../lake/bronze/exchange-query.ts';

/** The pages of one exchange in one run. */
export interface TrackedPages {
  readonly pages: readonly Page[];
  readonly interval: Interval;
  /** First day of the run. A page that begins before it also fetches candles of the next run. */
  readonly firstDay: Day;
}

/** Progress of these pages: requested, answered, settled. */
export interface PageProgress extends PageObserver {
  /** Periods in the order in which their last page was answered. A failed page leaves its periods out. */
  readonly settled: AsyncIterable<Period>;
  readonly pagesTotal: number;
  pagesEnded(): number;
  /** Ends `settled`: no more pages will begin or end. */
  close(): void;
}

/** `onRequested`: the last page is in flight and no page in flight fetches candles of the next run. */
export function trackPages({ pages, interval, firstDay }: TrackedPages, onRequested: () => void): PageProgress {
  const fromMs = dayStartMs(firstDay);
  const settled = settledPeriods(pages, interval);
  let [begun, ended, sharedInFlight] = [0, 0, 0];
  const countShared = (page: Page, change: 1 | -1): void => {
    if (page.range.fromMs < fromMs) sharedInFlight += change;
    if (begun === pages.length && sharedInFlight === 0) onRequested();
  };
  return {
    settled,
    pagesTotal: pages.length,
    pagesEnded: () => ended,
    close: settled.close,
    begun: (page) => {
      begun += 1;
      countShared(page, 1);
    },
    ended: (page, as) => {
      ended += 1;
      settled.pageEnded(page, as);
      countShared(page, -1);
    },
  };
}

interface SettledPeriods extends AsyncIterable<Period> {
  pageEnded: PageObserver['ended'];
  close(): void;
}

function settledPeriods(pages: readonly Page[], interval: Interval): SettledPeriods {
  const pagesLeft = new Map<Period, number>();
  for (const period of pages.flatMap(({ range }) => periodsIn(range, interval)))
    pagesLeft.set(period, (pagesLeft.get(period) ?? 0) + 1);
  const settled: Period[] = [];
  let isClosed = false;
  let changed = Promise.withResolvers<void>();

  const finishPage = (period: Period): void => {
    const left = pagesLeft.get(period);
    if (left !== undefined) pagesLeft.set(period, left - 1);
    if (left === 1) settled.push(period);
  };
  return {
    pageEnded: (page, as) => {
      for (const period of periodsIn(page.range, interval)) {
        if (as === 'answered') finishPage(period);
        else pagesLeft.delete(period);
      }
      changed.resolve();
    },
    close: () => {
      isClosed = true;
      changed.resolve();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        changed = Promise.withResolvers<void>();
        for (let period = settled.shift(); period !== undefined; period = settled.shift()) yield period;
        if (isClosed) return;
        await changed.promise;
      }
    },
  };
}
