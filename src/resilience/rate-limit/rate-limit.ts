import type { HttpRequest } from '../../platform/ports/http.ts';

/** A limit as an exchange states it. */
export interface RateLimit {
  readonly name: string;
  /** Units granted in each window, or the bucket's capacity; all of it, before our share. */
  readonly limit: number;
  /** For a bucket: the time in which an empty one fills. */
  readonly windowMs: number;
  /**
   * `aligned`: reset at every multiple of `windowMs` of the exchange's clock. `sliding`: in any `windowMs`.
   * `bucket`: refilled steadily.
   */
  readonly shape: 'aligned' | 'sliding' | 'bucket';
  /** What one request costs: its weight, or one for limits that count requests. */
  readonly counts: 'weight' | 'requests';
}

/** The use of its window so far, as a response states it. */
export interface UsedWeight {
  readonly name: string;
  readonly windowMs: number;
  readonly used: number;
}

export const costOf = (limit: Pick<RateLimit, 'counts'>, weight: number): number =>
  limit.counts === 'weight' ? weight : 1;

/** A request with what it costs under a limit that counts weight. */
export interface WeightedRequest extends HttpRequest {
  readonly weight: number;
}
