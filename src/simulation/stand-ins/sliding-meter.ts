/** At most `requests` within any `windowMs`. */
export interface SlidingLimit {
  readonly requests: number;
  readonly windowMs: number;
}

/** Counts requests like a venue with a sliding window; refused requests do not count. */
export function slidingMeter(limit: SlidingLimit): { admits(nowMs: number): boolean } {
  const admittedAtMs: number[] = [];
  return {
    admits: (nowMs) => {
      while (admittedAtMs.length > 0 && (admittedAtMs[0] ?? 0) <= nowMs - limit.windowMs) admittedAtMs.shift();
      if (admittedAtMs.length >= limit.requests) return false;
      admittedAtMs.push(nowMs);
      return true;
    },
  };
}
