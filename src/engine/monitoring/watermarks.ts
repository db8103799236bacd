import type { Operation } from '../../platform/ports/store.ts';
import { DAY_MS, intervalMs, type Interval } from '../../domain/interval.ts';
import type { Exchange } from '../../domain/exchange.ts';
import type { Watermark } from '../../metrics/ledger-metrics.ts';
import { removedSymbols } from '../../state/symbols.ts';
import { coveredUntil } from '../../lake/bronze/page-index.ts';
import { newestManifest } from '../../lake/manifest.ts';
import type { Markets } from '../core/symbol-resolution.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { marketsAt, venueOf } from '../core/exchanges.ts';

/** Newest silver files searched for a symbol's newest candle; a symbol that stalled for longer counts as that old. */
const FILES_MAX = 2;
/** How far back responses count at exchanges that omit candles without trades. Unit: milliseconds. */
const RESPONSES_MS = 3 * DAY_MS;

/** The newest stored candle of every exchange and interval, over the active ones of these symbols. */
export async function watermarksOf(pipeline: Pipeline, markets: Markets): Promise<readonly Watermark[]> {
  const { ports, venues, settings } = pipeline;
  const nowMs = ports.clock.nowMs();
  return ports.store.read(function* readWatermarks() {
    const off = new Set((yield* removedSymbols()).map(({ exchange, symbol }) => `${exchange} ${symbol}`));
    const watermarks: Watermark[] = [];
    for (const interval of settings.intervals) {
      for (const [exchange, symbols] of marketsAt(venues, markets, interval)) {
        const { graceMs, emptyCandles } = venueOf(venues, exchange).adapter;
        const newest = yield* newestCandles({ exchange, interval });
        const covered =
          emptyCandles === 'omitted'
            ? yield* coveredUntil({ exchange, interval }, nowMs - RESPONSES_MS)
            : new Map<string, number>();
        const own = symbols
          .filter((symbol) => !off.has(`${exchange} ${symbol}`))
          .flatMap((symbol) => {
            const seen = [newest.get(symbol), (covered.get(symbol) ?? Number.NaN) - intervalMs(interval)].filter(
              (timeMs) => timeMs !== undefined && !Number.isNaN(timeMs),
            ) as number[];
            return seen.length === 0 ? [] : [Math.max(...seen)];
          });
        watermarks.push({ exchange, interval, graceMs, newestOpenMs: heldByHalf(own) });
      }
    }
    return watermarks;
  });
}

/** The newest time that at least half of these reach: one stalled symbol does not make an exchange late. */
export const heldByHalf = (timesMs: readonly number[]): number | null =>
  timesMs.toSorted((a, b) => b - a)[Math.ceil(timesMs.length / 2) - 1] ?? null;

function* newestCandles(of: {
  readonly exchange: Exchange;
  readonly interval: Interval;
}): Operation<ReadonlyMap<string, number>> {
  const newest = new Map<string, number>();
  for (const entry of yield* newestManifest(of, FILES_MAX)) {
    for (const { symbol, lastOpenMs } of entry.symbols)
      newest.set(symbol, Math.max(newest.get(symbol) ?? 0, lastOpenMs));
  }
  return newest;
}
