import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS } from '../../domain/interval.ts';
import { dayStartMs } from '../../domain/partition.ts';
import { planPages } from '../../exchanges/planner.ts';
import { settledPeriods } from './settled-periods.ts';

const START_MS = dayStartMs('2024-06-01');
const DAYS = ['2024-06-01', '2024-06-02', '2024-06-03', '2024-06-04'];
const pages = ['AAA/USDT', 'BBB/USDT'].flatMap((symbol) =>
  planPages(
    { exchange: 'binance', symbol, interval: '1m' },
    [{ fromMs: START_MS, toMs: START_MS + DAYS.length * DAY_MS }],
    1_000,
  ),
);

test('in whatever order pages end, a day is told once, after its last page was answered, and never when one failed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(pages, { minLength: pages.length }),
      fc.array(fc.boolean(), { minLength: pages.length, maxLength: pages.length }),
      async (order, responses) => {
        const settled = settledPeriods(pages, '1m');
        const told: { readonly period: string; readonly ended: number }[] = [];
        let ended = 0;
        const reader = (async () => {
          for await (const period of settled) told.push({ period, ended });
        })();
        for (const [at, page] of order.entries()) {
          settled.pageEnded(page, responses[at] === true ? 'answered' : 'failed');
          ended += 1;
          await new Promise(setImmediate);
        }
        settled.close();
        await reader;
        const touching = (day: string) =>
          order.flatMap(({ range }, at) =>
            range.fromMs < dayStartMs(day) + DAY_MS && range.toMs > dayStartMs(day) ? [at] : [],
          );
        const expected = DAYS.filter((day) => touching(day).every((at) => responses[at] === true)).map((day) => ({
          period: day,
          ended: Math.max(...touching(day)) + 1,
        }));
        expect(told.toSorted((a, b) => a.period.localeCompare(b.period))).toEqual(expected);
      },
    ),
    { numRuns: 200 },
  );
});
