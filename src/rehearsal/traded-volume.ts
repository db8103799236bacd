import { DAY_MS, intervalMs } from '../market/interval.ts';
import type { World } from './world.ts';

/** A market and its volume in quote currency over the last 24 hours that were recorded before `nowMs`. */
export interface TradedMarket {
  readonly venueSymbol: string;
  readonly quoteVolume: number;
}

/** What a venue's tickers would say. A market recorded at several candle lengths speaks once, through its shortest. */
export function tradedMarkets(world: World, nowMs: number): readonly TradedMarket[] {
  const byMarket = Map.groupBy(world.series, (series) => series.venueSymbol);
  return [...byMarket].map(([venueSymbol, own]) => {
    const [series] = own.toSorted((a, b) => intervalMs(a.interval) - intervalMs(b.interval));
    const known = (series?.rows ?? []).filter((row) => row[6] < nowMs);
    const sinceMs = (known.at(-1)?.[6] ?? 0) - DAY_MS;
    return { venueSymbol, quoteVolume: known.filter((row) => row[0] > sinceMs).reduce((sum, row) => sum + Number(row[7]), 0) };
  });
}
