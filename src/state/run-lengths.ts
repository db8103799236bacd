import type { TimeRange } from '../domain/range.ts';

/**
 * Ranges in minutes, alternating distance to the next range and its length: `[5, 1, 3, 2]`. Candles missing at random
 * make hundreds of short ranges a day; in this form each takes four characters instead of sixty.
 */
export type RunLengths = readonly number[];

const MINUTE_MS = 60_000;

/** `ranges` are in order of time and not before `originMs`. */
export function runLengthsOf(ranges: readonly TimeRange[], originMs: number): RunLengths {
  const lengths: number[] = [];
  let atMs = originMs;
  for (const { fromMs, toMs } of ranges) {
    lengths.push((fromMs - atMs) / MINUTE_MS, (toMs - fromMs) / MINUTE_MS);
    atMs = toMs;
  }
  return lengths;
}

export function rangesOfRuns(lengths: RunLengths, originMs: number): TimeRange[] {
  const ranges: TimeRange[] = [];
  let toMs = originMs;
  for (let at = 0; at + 1 < lengths.length; at += 2) {
    const fromMs = toMs + Math.round((lengths[at] as number) * MINUTE_MS);
    toMs = fromMs + Math.round((lengths[at + 1] as number) * MINUTE_MS);
    ranges.push({ fromMs, toMs });
  }
  return ranges;
}
