/** A limit as a venue states it. */
export interface RateLimit {
  readonly name: string;
  /** Units granted in each window; all of it, before our share. */
  readonly limit: number;
  readonly windowMs: number;
  /** `aligned`: afresh at every multiple of `windowMs` of wall-clock time. `sliding`: in any stretch of `windowMs`. */
  readonly shape: 'aligned' | 'sliding';
  /** What one request costs: its weight, or one for limits that count requests. */
  readonly counts: 'weight' | 'requests';
}

export const costOf = (limit: RateLimit, weight: number): number => (limit.counts === 'weight' ? weight : 1);
