/** A bucket of `requests` tokens that refills evenly within `windowMs`. */
export interface BucketLimit {
  readonly requests: number;
  readonly windowMs: number;
}

/** Counts requests like a venue with a token bucket; refused requests take no token. */
export function bucketMeter({ requests, windowMs }: BucketLimit): { admits(nowMs: number): boolean } {
  let tokens = requests;
  let filledAtMs = 0;
  return {
    admits: (nowMs) => {
      tokens = Math.min(requests, tokens + Math.max(0, nowMs - filledAtMs) * (requests / windowMs));
      filledAtMs = nowMs;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
