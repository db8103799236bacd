import type { Interval } from '../../domain/interval.ts';
import { periodsIn, type Period } from '../../domain/partition.ts';
import type { Page } from '../../exchanges/adapter.ts';

/** Periods in the order in which the last page that touches them was answered; a page without answer leaves its periods out. */
export interface SettledPeriods extends AsyncIterable<Period> {
  pageEnded(page: Page, as: 'answered' | 'failed'): void;
  /** No page will end any more. */
  close(): void;
}

export function settledPeriods(pages: readonly Page[], interval: Interval): SettledPeriods {
  const pagesLeft = new Map<Period, number>();
  for (const period of pages.flatMap(({ range }) => periodsIn(range, interval)))
    pagesLeft.set(period, (pagesLeft.get(period) ?? 0) + 1);
  const settled: Period[] = [];
  let isClosed = false;
  let changed = Promise.withResolvers<void>();

  const answered = (period: Period): void => {
    const left = pagesLeft.get(period);
    if (left !== undefined) pagesLeft.set(period, left - 1);
    if (left === 1) settled.push(period);
  };
  return {
    pageEnded: (page, as) => {
      for (const period of periodsIn(page.range, interval)) {
        if (as === 'answered') answered(period);
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
