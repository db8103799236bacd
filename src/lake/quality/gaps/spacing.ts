import { intersectRanges, type TimeRange } from '../../../domain/range.ts';
import { knownOf, type SeriesRecord } from './series-record.ts';

/** Equally spaced holes: paging skipped candles at page borders. Markets do not pause by the clock. */
export interface Spacing {
  /** Distance from one hole to the next. Unit: candles. */
  readonly periodCandles: number;
  readonly holes: number;
}

export interface SpacedHole extends TimeRange, Spacing {}

/** Paging loses at most this much at each page border. Unit: candles. */
const LOST_CANDLES_MAX = 3;
/** No page is shorter. Unit: candles. */
const PERIOD_CANDLES_MIN = 10;
const HOLES_MIN = 4;
/** Distances to this many following holes are tried: other gaps may lie between two that paging made. */
const NEIGHBOURS_MAX = 32;
/** How far before and after the classified range holes are searched. Unit: pages. */
const PAGES_AROUND = 8;
/** Candles on each side of a hole that show how often this market pauses at this time anyway. */
const SURROUNDINGS = 10;
/** If more than this share is missing beside the holes, the market has its own rhythm and distances prove nothing. */
const BESIDE_SHARE_MAX = 0.25;
/** The expected number of such sequences by chance must not exceed this. */
const CHANCE_MAX = 1e-3;

interface SpacingScope {
  readonly classified: TimeRange;
  readonly stepMs: number;
  readonly rowsPerPageMax: number;
}

/**
 * Finds sequences of equally spaced short holes that are too long for chance. The probability of one more hole is
 * the share of candles missing near these holes or in the whole series, whichever is higher: a market that sleeps
 * at night has as many holes beside them.
 */
export function spacedHoles(series: SeriesRecord, { classified, stepMs, rowsPerPageMax }: SpacingScope): SpacedHole[] {
  const candlesOf = ({ fromMs, toMs }: TimeRange): number => (toMs - fromMs) / stepMs;
  const marginMs = PAGES_AROUND * rowsPerPageMax * stepMs;
  const around = { fromMs: classified.fromMs - marginMs, toMs: classified.toMs + marginMs };
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
      const sequence = sequenceFrom(missing, { first, period });
      if (sequence.length < HOLES_MIN || chanceOf(sequence, { missing, total }) > CHANCE_MAX) continue;
      found.push(
        ...sequence.map((index) => ({
          fromMs: index * stepMs,
          toMs: (index + 1) * stepMs,
          periodCandles: period,
          holes: sequence.length,
        })),
      );
    }
  }
  return found;
}

function sequenceFrom(
  missing: ReadonlySet<number>,
  { first, period }: { readonly first: number; readonly period: number },
): number[] {
  const sequence: number[] = [];
  for (let index = first; missing.has(index); index += period) sequence.push(index);
  return sequence;
}

/**
 * Expected number of sequences of this length over all starts and periods, if candles go missing independently;
 * Infinity where the candles beside the holes go missing too often for equal distances to prove anything.
 */
function chanceOf(
  sequence: readonly number[],
  { missing, total }: { readonly missing: ReadonlySet<number>; readonly total: number },
): number {
  const own = new Set(sequence);
  let beside = 0;
  for (const index of sequence) {
    for (let near = index - SURROUNDINGS; near <= index + SURROUNDINGS; near++)
      beside += missing.has(near) && !own.has(near) ? 1 : 0;
  }
  const besideShare = beside / (2 * SURROUNDINGS * sequence.length);
  if (besideShare > BESIDE_SHARE_MAX) return Infinity;
  const share = Math.max(besideShare, Math.max(1, missing.size - sequence.length) / total);
  return (total ** 2 / sequence.length) * share ** sequence.length;
}
