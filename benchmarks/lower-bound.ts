import type { WeightLimit } from '../src/simulation/stand-ins/weight-meter.ts';

/** Requests that one client has to send under one rate limit. */
export interface PageLoad {
  readonly requests: number;
  /** Weight of one request. */
  readonly weight: number;
  /** As announced; `share` of it may be used. */
  readonly limit: WeightLimit;
  readonly share: number;
  readonly startMs: number;
  readonly rttMs: number;
  readonly concurrency: number;
}

/**
 * The least time in which all requests can be sent: the rest of the first window, then whole windows, the last of which
 * need only begin; or the round trips, if they take longer. Unit: milliseconds.
 */
export function lowerBoundMs({ requests, weight, limit, share, startMs, rttMs, concurrency }: PageLoad): number {
  const perWindow = Math.floor((limit.weight * share) / weight);
  const windows = Math.ceil(requests / perWindow);
  const toBorderMs = limit.windowMs - (startMs % limit.windowMs);
  const byLimitMs = windows <= 1 ? 0 : toBorderMs + (windows - 2) * limit.windowMs;
  return Math.max(byLimitMs, (requests * rttMs) / concurrency);
}
