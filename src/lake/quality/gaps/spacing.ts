import { intersectRanges, type TimeRange } from '../../../domain/range.ts';
import { knownOf, type SeriesRecord } from './series-record.ts';

/** Holes at equal distances: somebody stepped past the end of a page. Markets do not pause by the clock. */
export interface Spacing {
  /** Distance from one hole to the next. Unit: candles. */
  readonly periodCandles: number;
  readonly holes: number;
}

export interface SpacedHole extends TimeRange, Spacing {}

/** A pager loses a row or a few at each border of its pages, not a stretch. Unit: candles. */
const LOST_CANDLES_MAX = 3;
/** Pages of fewer rows do not exist. Unit: candles. */
const PERIOD_CANDLES_MIN = 10;
const HOLES_MIN = 4;
/** Following holes to which the distance is tried; other gaps may lie between two of the pager. */
const NEIGHBOURS_MAX = 32;
/** How far before and after what is judged a row of holes is followed. Unit: pages. */
const PAGES_AROUND = 8;
/** Candles on each side of a hole that tell how often this market pauses at this time anyway. */
const SURROUNDINGS = 10;
/** Where more than this share is missing beside the holes, the market keeps a clock of its own, and distances tell nothing. */
const BESIDE_SHARE_MAX = 0.25;
/** So improbable must it be that chance made the row of holes, over all rows that could have been. */
const CHANCE_MAX = 1e-3;

interface SpacingScope {
  readonly judged: TimeRange;
  readonly stepMs: number;
  readonly rowsPerPageMax: number;
}

/**
 * Finds rows of equally spaced short holes too long for chance. The chance of one more hole in the row
 * is how often candles are missing near these holes or in the whole series, whichever is more: a market that sleeps
 * at night has as many holes beside them.
 */
export function spacedHoles(series: SeriesRecord, { judged, stepMs, rowsPerPageMax }: SpacingScope): SpacedHole[] {
  const candlesOf = ({ fromMs, toMs }: TimeRange): number => (toMs - fromMs) / stepMs;
  const reachMs = PAGES_AROUND * rowsPerPageMax * stepMs;
  const around = { fromMs: judged.fromMs - reachMs, toMs: judged.toMs + reachMs };
  const short = series.missing.filter(
    (hole) => hole.fromMs >= around.fromMs && hole.toMs <= around.toMs && candlesOf(hole) <= LOST_CANDLES_MAX,
  );
  const missing = new Set(
    short.flatMap((hole) => Array.from({ length: candlesOf(hole) }, (_, at) => hole.fromMs / stepMs + at)),
  );
  const total = Math.max(
    1,
    intersectRanges(knownOf(series), [around]).reduce((sum, range) => sum + candlesOf(range), 0),
  );
  const open = [...missing].toSorted((a, b) => a - b);
  const found: SpacedHole[] = [];
  for (const [at, first] of open.entries()) {
    const periods = new Set([
      rowsPerPageMax - 1,
      rowsPerPageMax,
      rowsPerPageMax + 1,
      ...open.slice(at + 1, at + 1 + NEIGHBOURS_MAX).map((other) => other - first),
    ]);
    for (const period of periods) {
      if (period < PERIOD_CANDLES_MIN || missing.has(first - period)) continue;
      const row = rowFrom(missing, { first, period });
      if (row.length < HOLES_MIN || chanceOf(row, { missing, total }) > CHANCE_MAX) continue;
      found.push(
        ...row.map((index) => ({
          fromMs: index * stepMs,
          toMs: (index + 1) * stepMs,
          periodCandles: period,
          holes: row.length,
        })),
      );
    }
  }
  return found;
}

function rowFrom(
  missing: ReadonlySet<number>,
  { first, period }: { readonly first: number; readonly period: number },
): number[] {
  const row: number[] = [];
  for (let index = first; missing.has(index); index += period) row.push(index);
  return row;
}

/** Expected number of rows of this length when candles go missing independently, over all starts and periods; more than any where that says nothing. */
function chanceOf(
  row: readonly number[],
  { missing, total }: { readonly missing: ReadonlySet<number>; readonly total: number },
): number {
  const own = new Set(row);
  let beside = 0;
  for (const index of row) {
    for (let near = index - SURROUNDINGS; near <= index + SURROUNDINGS; near++)
      beside += missing.has(near) && !own.has(near) ? 1 : 0;
  }
  const besideShare = beside / (2 * SURROUNDINGS * row.length);
  if (besideShare > BESIDE_SHARE_MAX) return Infinity;
  const share = Math.max(besideShare, Math.max(1, missing.size - row.length) / total);
  return (total ** 2 / row.length) * share ** row.length;
}
