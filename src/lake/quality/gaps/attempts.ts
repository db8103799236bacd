import type { TimeRange } from '../../../domain/range.ts';
import type { Answer } from './series-record.ts';

/** How often a stretch was asked for and came without rows; of its candles, the one that was seen least counts. */
export interface Looks {
  readonly answers: number;
  /** Answers that had a row before and a row after it: the venue spoke about this time and left it out. */
  readonly between: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

export function looksAt(stretch: TimeRange, answers: readonly Answer[]): Looks {
  const touching = answers.filter((answer) => answer.fromMs < stretch.toMs && answer.toMs > stretch.fromMs);
  const edgesMs = new Set([stretch.fromMs, stretch.toMs, ...touching.flatMap(({ fromMs, toMs }) => [fromMs, toMs])]);
  const inside = [...edgesMs]
    .filter((timeMs) => timeMs >= stretch.fromMs && timeMs <= stretch.toMs)
    .toSorted((a, b) => a - b);
  return inside
    .slice(1)
    .map((toMs, at) => looksAtPart({ fromMs: inside[at] as number, toMs }, touching))
    .reduce(fewest);
}

/** `part` is crossed by no edge of an answer. */
function looksAtPart(part: TimeRange, answers: readonly Answer[]): Looks {
  const own = answers.filter((answer) => answer.fromMs <= part.fromMs && answer.toMs >= part.toMs);
  const times = own.map((answer) => answer.atMs);
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

const fewest = (a: Looks, b: Looks): Looks => ({
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
export const isSeenTwice = (looks: Looks, recheckAfterMs: number): boolean =>
  looks.lastAtMs - looks.firstAtMs >= recheckAfterMs;
