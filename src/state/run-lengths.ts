import type { TimeRange } from '../domain/range.ts';

/**
 * Ranges as minutes, in turn how far it is to the next one and how long that is: `[5, 1, 3, 2]`. Candles that
 * are missing at random make hundreds of short ranges a day, and so each costs four characters, not sixty.
 */
export type RunLengths = readonly number[];

const MINUTE_MS = 60_000;

/** `ranges` in order of time, none before `originMs`. */
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
