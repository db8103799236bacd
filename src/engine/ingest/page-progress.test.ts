import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS } from '../../domain/interval.ts';
import { dayStartMs } from '../../domain/partition.ts';
import type { Page } from '../../exchanges/adapter.ts';
import { planPages } from '../../exchanges/planner.ts';
import { trackPages } from './page-progress.ts';

const START_MS = dayStartMs('2024-06-01');
const DAYS = ['2024-06-01', '2024-06-02', '2024-06-03', '2024-06-04'];
const pages = ['AAA/USDT', 'BBB/USDT'].flatMap((symbol) =>
  planPages(
    { exchange: 'binance', symbol, interval: '1m' },
    [{ fromMs: START_MS, toMs: START_MS + DAYS.length * DAY_MS }],
    1_000,
  ),
);

test('in any order of pages, a day settles once, after its last page, and never when a page failed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(pages, { minLength: pages.length }),
      fc.array(fc.boolean(), { minLength: pages.length, maxLength: pages.length }),
      async (order, responses) => {
        const progress = trackPages({ pages, interval: '1m', firstDay: '2024-06-01' }, () => undefined);
        const settled: { readonly period: string; readonly ended: number }[] = [];
        const reader = (async () => {
          for await (const period of progress.settled) settled.push({ period, ended: progress.pagesEnded() });
        })();
        for (const [at, page] of order.entries()) {
          progress.ended(page, responses[at] === true ? 'answered' : 'failed');
          await new Promise(setImmediate);
        }
        progress.close();
        await reader;
        const touching = (day: string) =>
          order.flatMap(({ range }, at) =>
            range.fromMs < dayStartMs(day) + DAY_MS && range.toMs > dayStartMs(day) ? [at] : [],
          );
        const expected = DAYS.filter((day) => touching(day).every((at) => responses[at] === true)).map((day) => ({
          period: day,
          ended: Math.max(...touching(day)) + 1,
        }));
        expect(settled.toSorted((a, b) => a.period.localeCompare(b.period))).toEqual(expected);
      },
    ),
    { numRuns: 200 },
  );
});

const page = (symbol: string, fromMs: number): Page => ({
  series: { exchange: 'binance', symbol, interval: '1h' },
  range: { fromMs, toMs: START_MS + 2 * DAY_MS },
});

test('pages are requested as soon as the last one is in flight, before any is answered', () => {
  const own = [page('AAA/USDT', START_MS), page('BBB/USDT', START_MS)] as const;
  let requested = 0;
  const progress = trackPages({ pages: own, interval: '1h', firstDay: '2024-06-01' }, () => {
    requested += 1;
  });
  progress.begun(own[0]);
  expect(requested).toBe(0);
  progress.begun(own[1]);
  expect(requested).toBe(1);
});

test('a page that also fetches candles of the next run has to end first', () => {
  const own = [page('AAA/USDT', START_MS - DAY_MS / 2), page('BBB/USDT', START_MS)] as const;
  let requested = 0;
  const progress = trackPages({ pages: own, interval: '1h', firstDay: '2024-06-01' }, () => {
    requested += 1;
  });
  progress.begun(own[0]);
  progress.begun(own[1]);
  progress.ended(own[1], 'answered');
  expect(requested).toBe(0);
  progress.ended(own[0], 'failed');
  expect(requested).toBe(1);
});
