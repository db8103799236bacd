import type { WeightLimit } from '../src/simulation/stand-ins/weight-meter.ts';

/** Work that no client can do faster than the limit allows. */
export interface PageLoad {
  readonly requests: number;
  /** Of one request. */
  readonly weight: number;
  /** As announced, and the share of it that may be used. */
  readonly limit: WeightLimit;
  readonly share: number;
  readonly startMs: number;
  readonly rttMs: number;
  readonly atOnce: number;
}

/**
 * Shortest time in which the requests can be answered: what is left of the window at the start, then
 * whole windows, the last of which need only begin; and never less than the round trips take.
 */
export function lowerBoundMs({ requests, weight, limit, share, startMs, rttMs, atOnce }: PageLoad): number {
  const perWindow = Math.floor((limit.weight * share) / weight);
  const windows = Math.ceil(requests / perWindow);
  const toBorderMs = limit.windowMs - (startMs % limit.windowMs);
  const byLimitMs = windows <= 1 ? 0 : toBorderMs + (windows - 2) * limit.windowMs;
  return Math.max(byLimitMs, (requests * rttMs) / atOnce);
}
