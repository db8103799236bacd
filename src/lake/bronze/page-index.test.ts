import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteStore } from '../../platform/node/sqlite-store.ts';
import type { Series } from '../../domain/candle.ts';
import { intervalMs, type Interval } from '../../domain/interval.ts';
import { BRONZE_1, recordPages, usedPages, type PageEntry } from './page-index.ts';

const FROM_MS = Date.UTC(2024, 0, 1);
const SERIES: readonly Series[] = ['BTC/USDT', 'ETH/USDT'].flatMap((symbol) =>
  (['1m', '1d'] as const).map((interval: Interval) => ({ exchange: 'binance', symbol, interval })),
);

function openStore() {
  const store = openSqliteStore({ path: ':memory:', migrations: [BRONZE_1] });
  onTestFinished(() => store.close());
  return store;
}

const entry = (
  id: string,
  { series, from, candles, isUsed }: { series: Series; from: number; candles: number; isUsed: boolean },
): PageEntry => {
  const fromMs = FROM_MS + from * intervalMs(series.interval);
  return {
    id,
    series,
    range: { fromMs, toMs: fromMs + candles * intervalMs(series.interval) },
    rejected: isUsed ? null : 'SCHEMA_MISMATCH',
    rows: 1,
    hull: { firstOpenMs: fromMs, lastOpenMs: fromMs },
    segment: 'seg',
    offset: 0,
    length: 1,
    sha256: id,
    fetchedAtMs: FROM_MS,
    runId: 'run',
  };
};

test('exactly the used pages that touch a range are found, whatever its length', async () => {
  const page = fc.record({
    series: fc.constantFrom(...SERIES),
    from: fc.integer({ min: -12_000, max: 12_000 }),
    candles: fc.integer({ min: 1, max: 10_000 }),
    isUsed: fc.boolean(),
  });
  const range = fc.record({
    series: fc.constantFrom(...SERIES),
    from: fc.integer({ min: -12_000, max: 12_000 }),
    candles: fc.integer({ min: 1, max: 3_000 }),
    bySymbol: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(page, { maxLength: 20 }), range, async (pages, { series, from, candles, bySymbol }) => {
      const entries = pages.map((one, at) => entry(`page-${at}`, one));
      const store = openStore();
      await store.transact(recordPages, entries);
      const requested = entry('asked', { series, from, candles, isUsed: true }).range;
      const { symbol, ...venue } = series;
      const found = await store.read(usedPages, bySymbol ? series : venue, requested);
      const touches = (one: PageEntry): boolean =>
        one.rejected === null &&
        one.series.interval === series.interval &&
        (!bySymbol || one.series.symbol === symbol) &&
        one.range.fromMs < requested.toMs &&
        one.range.toMs > requested.fromMs;
      expect(found.map(({ id }) => id).toSorted()).toEqual(
        entries
          .filter(touches)
          .map(({ id }) => id)
          .toSorted(),
      );
    }),
    { numRuns: 50 },
  );
});

test('a used page that lookups would miss is refused', async () => {
  const [series] = SERIES as [Series];
  const store = openStore();
  const long = { series, from: 0, candles: 10_001 };
  await expect(store.transact(recordPages, [entry('long', { ...long, isUsed: true })])).rejects.toThrow(
    'more than 10000 candles',
  );
  await store.transact(recordPages, [entry('rejected', { ...long, isUsed: false })]);
});
