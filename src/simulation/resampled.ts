import { intervalMs, type Interval } from '../domain/interval.ts';
import type { RecordedSeries, RecordedCandle } from './recorded-series.ts';

/** Candles of a longer interval, aggregated from the shortest recorded one; null without a shorter recording. */
export function resampled(recorded: readonly RecordedSeries[], interval: Interval): RecordedSeries | null {
  const stepMs = intervalMs(interval);
  const finest = recorded.toSorted((a, b) => intervalMs(a.interval) - intervalMs(b.interval))[0];
  if (finest === undefined || intervalMs(finest.interval) >= stepMs) return null;
  const buckets = Map.groupBy(finest.rows, (row) => Math.floor(row[0] / stepMs) * stepMs);
  return {
    ...finest,
    interval,
    rows: [...buckets].map(([openTimeMs, rows]) =>
      aggregated(rows, { openTimeMs, closeTimeMs: openTimeMs + stepMs - 1 }),
    ),
  };
}

function aggregated(
  rows: readonly RecordedCandle[],
  span: { readonly openTimeMs: number; readonly closeTimeMs: number },
): RecordedCandle {
  const [first, last] = [rows[0] as RecordedCandle, rows.at(-1) as RecordedCandle];
  const total = (at: 5 | 7 | 8): number => rows.reduce((sum, row) => sum + Number(row[at]), 0);
  const high = rows.reduce((most, row) => (Number(row[2]) > Number(most) ? row[2] : most), first[2]);
  const low = rows.reduce((least, row) => (Number(row[3]) < Number(least) ? row[3] : least), first[3]);
  return [
    span.openTimeMs,
    first[1],
    high,
    low,
    last[4],
    total(5).toFixed(8),
    span.closeTimeMs,
    total(7).toFixed(8),
    total(8),
    '0',
    '0',
    '0',
  ];
}
