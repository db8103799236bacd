/**
 * Requests a series from a venue page by page, and returns what the page index would hold. Independent of the rules
 * under test.
 */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface FetchedPage extends Span {
  readonly atMs: number;
  readonly firstOpenMs: number | null;
  readonly lastOpenMs: number | null;
}

export interface PageRequestPlan {
  /** Sorted open times of the candles that the venue sends. */
  readonly openTimesMs: readonly number[];
  readonly stepMs: number;
  readonly rowsMax: number;
  readonly atMs: number;
}

/** The pages that cover `span`, with the first and last candle of each response. */
export function requestPages(span: Span, { openTimesMs, stepMs, rowsMax, atMs }: PageRequestPlan): FetchedPage[] {
  const pages: FetchedPage[] = [];
  for (let fromMs = span.fromMs; fromMs < span.toMs; fromMs += rowsMax * stepMs) {
    const toMs = Math.min(fromMs + rowsMax * stepMs, span.toMs);
    const [first, after] = [indexFrom(openTimesMs, fromMs), indexFrom(openTimesMs, toMs)];
    pages.push({
      fromMs,
      toMs,
      atMs,
      firstOpenMs: first < after ? (openTimesMs[first] as number) : null,
      lastOpenMs: first < after ? (openTimesMs[after - 1] as number) : null,
    });
  }
  return pages;
}

/** Index of the first time that is not before `timeMs`. */
function indexFrom(sorted: readonly number[], timeMs: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Runs of grid points in `span` that are not among `openTimesMs`. */
export function holesIn(span: Span, openTimesMs: ReadonlySet<number>, stepMs: number): Span[] {
  const holes: { fromMs: number; toMs: number }[] = [];
  for (let timeMs = span.fromMs; timeMs < span.toMs; timeMs += stepMs) {
    if (openTimesMs.has(timeMs)) continue;
    const last = holes.at(-1);
    if (last?.toMs === timeMs) last.toMs += stepMs;
    else holes.push({ fromMs: timeMs, toMs: timeMs + stepMs });
  }
  return holes;
}
