import type { TimeRange } from '../../../domain/range.ts';
import type { ObservedResponse } from './series-record.ts';

/** How often a stretch was asked for and came without rows; of its candles, the one that was seen least counts. */
export interface Attempts {
  readonly answers: number;
  /** Answers that had a row before and a row after it: the venue spoke about this time and left it out. */
  readonly between: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

export function attemptsAt(segment: TimeRange, answers: readonly ObservedResponse[]): Attempts {
  const touching = answers.filter((response) => response.fromMs < segment.toMs && response.toMs > segment.fromMs);
  const edgesMs = new Set([segment.fromMs, segment.toMs, ...touching.flatMap(({ fromMs, toMs }) => [fromMs, toMs])]);
  const inside = [...edgesMs]
    .filter((timeMs) => timeMs >= segment.fromMs && timeMs <= segment.toMs)
    .toSorted((a, b) => a - b);
  return inside
    .slice(1)
    .map((toMs, at) => looksAtPart({ fromMs: inside[at] as number, toMs }, touching))
    .reduce(fewest);
}

/** `part` is crossed by no edge of an answer. */
function looksAtPart(part: TimeRange, answers: readonly ObservedResponse[]): Attempts {
  const own = answers.filter((response) => response.fromMs <= part.fromMs && response.toMs >= part.toMs);
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
 * What to ask for when a hole is looked at again: the hole and a candle on each side. An answer without
 * rows proves nothing (Coinbase has sent such for candles it had); one with both neighbours and not the hole does.
 */
export const withNeighbours = (hole: TimeRange, stepMs: number): TimeRange => ({
  fromMs: hole.fromMs - stepMs,
  toMs: hole.toMs + stepMs,
});

/** Asked for twice, far enough apart that what was late would have come. */
export const isSeenTwice = (attempts: Attempts, recheckAfterMs: number): boolean =>
  attempts.lastAtMs - attempts.firstAtMs >= recheckAfterMs;
