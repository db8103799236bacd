import { DAY_MS, intervalMs } from '../domain/interval.ts';
import type { CandleSource } from './world.ts';
import type { ServedSeries } from './recorded-series.ts';

/** A market and its quote volume over the last recorded 24 hours before `nowMs`. */
export interface TradedMarket {
  readonly venueSymbol: string;
  readonly quoteVolume: number;
}

/** The volumes for a venue's tickers. A market recorded at several intervals counts once, by its shortest. */
export function tradedMarkets(world: CandleSource, nowMs: number): readonly TradedMarket[] {
  const byMarket = Map.groupBy(world.series, (series) => series.venueSymbol);
  return [...byMarket].map(([venueSymbol, own]) => {
    const series = own.toSorted((a, b) => intervalMs(a.interval) - intervalMs(b.interval))[0] as ServedSeries;
    const closed = { fromMs: 0, toMs: nowMs - intervalMs(series.interval) + 1, keep: 'newest' } as const;
    const sinceMs = (world.select(series, { ...closed, rowsMax: 1 })[0]?.[6] ?? 0) - DAY_MS;
    const rows = world.select(series, { ...closed, fromMs: sinceMs + 1, rowsMax: Infinity });
    return { venueSymbol, quoteVolume: rows.reduce((sum, row) => sum + Number(row[7]), 0) };
  });
}
