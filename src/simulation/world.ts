import { isInterval } from '../domain/interval.ts';
import type { TimeRange } from '../domain/range.ts';
import { resampled } from './resampled.ts';
import { type RecordedCandle, type ServedSeries, type RecordedSeries, fewerColumns } from './recorded-series.ts';

/** A part of a series: rows that open within the range, at most `rowsMax`, the oldest or the newest of them. */
export interface SeriesPart extends TimeRange {
  readonly rowsMax: number;
  readonly keep: 'oldest' | 'newest';
}

/** What a stand-in exchange needs: the list of series, and rows of one of them. */
export interface CandleSource {
  readonly series: readonly ServedSeries[];
  /** Oldest first; empty for an unknown series. */
  select(
    series: { readonly venueSymbol: string; readonly interval: string },
    part: SeriesPart,
  ): readonly RecordedCandle[];
}

/** Recorded candles, all of them in memory. */
export interface World extends CandleSource {
  readonly series: readonly RecordedSeries[];
  /** A recorded series, or one aggregated from a shorter interval. */
  find(venueSymbol: string, interval: string): RecordedSeries | null;
}

const keyOf = ({ venueSymbol, interval }: { readonly venueSymbol: string; readonly interval: string }): string =>
  `${venueSymbol} ${interval}`;

/** Joins the parts of each series; of rows recorded twice the first is kept. */
export function worldOf(parts: readonly RecordedSeries[]): World {
  const recorded = [...Map.groupBy(parts, keyOf).values()].map((own) => own.reduce(join));
  const found = new Map<string, RecordedSeries | null>(recorded.map((series) => [keyOf(series), series]));
  const find: World['find'] = (venueSymbol, interval) => {
    const key = keyOf({ venueSymbol, interval });
    const known =
      found.get(key) ??
      (isInterval(interval)
        ? resampled(
            recorded.filter((series) => series.venueSymbol === venueSymbol),
            interval,
          )
        : null);
    found.set(key, known);
    return known;
  };
  return {
    series: recorded,
    find,
    select: ({ venueSymbol, interval }, part) => partOf(find(venueSymbol, interval)?.rows ?? [], part),
  };
}

function partOf(
  rows: readonly RecordedCandle[],
  { fromMs, toMs, rowsMax, keep }: SeriesPart,
): readonly RecordedCandle[] {
  const [from, to] = [firstAt(rows, fromMs), firstAt(rows, toMs)];
  return keep === 'oldest'
    ? rows.slice(from, Math.min(to, from + rowsMax))
    : rows.slice(Math.max(from, to - rowsMax), to);
}

/** Index of the first row that opens at `timeMs` or later. */
function firstAt(rows: readonly RecordedCandle[], timeMs: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle]?.[0] ?? Infinity) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function join(a: RecordedSeries, b: RecordedSeries): RecordedSeries {
  const rows = new Map([...b.rows, ...a.rows].map((row) => [row[0], row]));
  return {
    ...a,
    columns: fewerColumns(a.columns, b.columns),
    rows: [...rows.values()].toSorted((x, y) => x[0] - y[0]),
  };
}
