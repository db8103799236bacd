import type { TimeRange } from '../../../domain/range.ts';
import type { ObservedResponse } from './series-record.ts';

/** How often a segment was requested and came without rows; its least requested candle counts. */
export interface Attempts {
  readonly answers: number;
  /** Responses with a row before and a row after the segment: the venue covered this time and left it out. */
  readonly between: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

export function attemptsAt(segment: TimeRange, responses: readonly ObservedResponse[]): Attempts {
  const touching = responses.filter((response) => response.fromMs < segment.toMs && response.toMs > segment.fromMs);
  const edgesMs = new Set([segment.fromMs, segment.toMs, ...touching.flatMap(({ fromMs, toMs }) => [fromMs, toMs])]);
  const inside = [...edgesMs]
    .filter((timeMs) => timeMs >= segment.fromMs && timeMs <= segment.toMs)
    .toSorted((a, b) => a - b);
  return inside
    .slice(1)
    .map((toMs, at) => attemptsAtPart({ fromMs: inside[at] as number, toMs }, touching))
    .reduce(fewest);
}

/** No response begins or ends inside `part`. */
function attemptsAtPart(part: TimeRange, responses: readonly ObservedResponse[]): Attempts {
  const own = responses.filter((response) => response.fromMs <= part.fromMs && response.toMs >= part.toMs);
  const times = own.map((response) => response.atMs);
  return {
    answers: own.length,
    between: own.filter(
      ({ firstOpenMs, lastOpenMs }) =>
        firstOpenMs !== null && lastOpenMs !== null && firstOpenMs < part.fromMs && lastOpenMs >= part.toMs,
    ).length,
    firstAtMs: Math.min(...times),
    lastAtMs: Math.max(...times),
  };
}

const fewest = (a: Attempts, b: Attempts): Attempts => ({
  answers: Math.min(a.answers, b.answers),
  between: Math.min(a.between, b.between),
  firstAtMs: Math.max(a.firstAtMs, b.firstAtMs),
  lastAtMs: Math.min(a.lastAtMs, b.lastAtMs),
});

/**
 * The range to request when a hole is fetched again: the hole and one candle on each side. A response without rows
 * proves nothing (Coinbase has sent one for candles it had); a response with both neighbours and without the hole does.
 */
export const withNeighbours = (hole: TimeRange, stepMs: number): TimeRange => ({
  fromMs: hole.fromMs - stepMs,
  toMs: hole.toMs + stepMs,
});

/** Requested twice, far enough apart that a late candle would have arrived. */
export const isSeenTwice = (attempts: Attempts, recheckAfterMs: number): boolean =>
  attempts.lastAtMs - attempts.firstAtMs >= recheckAfterMs;
