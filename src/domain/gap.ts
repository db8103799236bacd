import type { FaultCode } from '../errors/table.ts';
import type { TimeRange } from './range.ts';

/** Why candles are missing. A candle is `present` or in one of these states; there is no other. */
export const GAP_STATES = ['no_trades', 'outage', 'quarantined', 'pending'] as const;
export type GapState = (typeof GAP_STATES)[number];

/**
 * Neighbouring candles that do not count as present, for the same reason. Flat rows that an exchange sent during a
 * stall are in silver and in an `outage` gap.
 */
export interface Gap extends TimeRange {
  readonly state: GapState;
  /** The fault that kept them away; null for candles not requested yet, and for flat rows. */
  readonly code: FaultCode | null;
  /** Name of the gap rule that decided (`lake/quality`); null while none did. */
  readonly cause: string | null;
}

/** Gaps that may still be filled, or all of them. */
export type WantedGaps = 'open' | 'all';

/** True for gaps that `check-gaps` lists without `--explained`: pending and quarantined ones. */
export const isWaitedFor = ({ state }: Pick<Gap, 'state'>): boolean => state === 'pending' || state === 'quarantined';

/** Cause of a quarantined gap after a person ended the wait for its candles. */
export const DROPPED = 'dropped';

/** True while a gap's candles may still come: they are pending, or quarantined and not dropped. */
export const isOpenGap = ({ state, cause }: Pick<Gap, 'state' | 'cause'>): boolean =>
  state === 'pending' || (state === 'quarantined' && cause !== DROPPED);

/** What a gap says about each of its candles. */
export type GapReason = Pick<Gap, 'state' | 'code' | 'cause'>;

/** A part of a series that a run could not get, and why. */
export interface FailedRange {
  readonly range: TimeRange;
  readonly code: FaultCode;
  /** Not requested again before this time: the exchange's hint, or what a deadline left. Null when healing decides. */
  readonly notBeforeMs: number | null;
}
