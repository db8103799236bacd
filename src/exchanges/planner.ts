import type { Series } from '../domain/candle.ts';
import { intervalMs } from '../domain/interval.ts';
import { mergeRanges, type TimeRange } from '../domain/range.ts';
import type { Page } from './adapter.ts';

/**
 * Pages that cover `ranges` exactly once, oldest first, of at most `rowsPerPageMax` candles; days do not split pages.
 */
export function planPages(series: Series, ranges: readonly TimeRange[], rowsPerPageMax: number): Page[] {
  const spanMs = rowsPerPageMax * intervalMs(series.interval);
  const pages: Page[] = [];
  for (const { fromMs, toMs } of mergeRanges(ranges)) {
    for (let startMs = fromMs; startMs < toMs; startMs += spanMs)
      pages.push({ series, range: { fromMs: startMs, toMs: Math.min(startMs + spanMs, toMs) } });
  }
  return pages;
}
