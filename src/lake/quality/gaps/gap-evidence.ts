import type { TruncatedCandle } from '../../../domain/cell.ts';
import type { Acceptance } from '../../../state/verdicts.ts';
import {
  fitsPage,
  holds,
  tradingAt,
  type ConfirmedStall,
  type GapContext,
  type SeriesContext,
  type Segment,
} from './gap-context.ts';
import { isLiquid, isPause, tradedShare } from './liquidity.ts';
import { isSeenTwice, attemptsAt, type Attempts } from './attempts.ts';
import type { VenueRecord } from './series-record.ts';
import type { Spacing } from './spacing.ts';
import type { TimeRange } from '../../../domain/range.ts';

/**
 * All input of the rules for one segment of one series, as plain JSON. It is stored with the verdict, so that a
 * reader sees the reason and can repeat the decision from it alone.
 */
export interface GapEvidence {
  /** No row was delivered, or flat rows without volume. */
  readonly rows: Segment['rows'];
  readonly emptyCandles: VenueRecord['emptyCandles'];
  readonly life: 'not_listed' | 'listed';
  /** Null for flat rows: they were delivered. */
  readonly looks: Attempts | null;
  /** Requested twice, at least `recheckAfterMs` apart. */
  readonly isSeenTwice: boolean;
  /** The last response arrived when the candles could no longer change. */
  readonly isSettled: boolean;
  /** No response had a row on both sides, although one response could have. */
  readonly isAtPageEdge: boolean;
  /** The series has rows before and after the hole. Rows of a day that is not due count if one response had both. */
  readonly isBounded: boolean;
  /** Share of candles with a trade in the thirty days before, two decimals; null with too little history. */
  readonly tradedShare: number | null;
  readonly isLiquid: boolean;
  /** The hole is short enough for a chance pause of a market that trades this often. */
  readonly isPause: boolean;
  /** Number of liquid symbols of the venue at that time; those whose requests failed do not count. */
  readonly liquidSymbols: number;
  /** The stall of the whole venue that contains the segment. */
  readonly silence: Omit<ConfirmedStall, keyof TimeRange> | null;
  /** Id in the shipped list. */
  readonly incident: string | null;
  readonly spacing: Spacing | null;
  /** The truncated candle right before the hole. */
  readonly cut: TruncatedCandle | null;
  readonly accepted: Pick<Acceptance, 'reason' | 'by' | 'atMs'> | null;
}

/** A venue that delivers a missing candle late does so within this time. Unit: milliseconds. */
const SETTLED_AFTER_MS = 7 * 86_400_000;

/** Gathers the evidence for one segment. */
export function evidenceOf(segment: Segment, own: SeriesContext, context: GapContext): GapEvidence {
  const { series } = own;
  const { record, scope } = context;
  const { rows, whole } = segment;
  const attempts = rows === 'missing' ? attemptsAt(segment, series.responses) : null;
  const trading = tradingAt(whole.fromMs, own, context);
  const share = tradedShare(trading);
  const spaced = own.spaced.filter((hole) => holds(hole, segment)).toSorted((a, b) => b.holes - a.holes)[0];
  const accepted = series.accepted.find((one) => holds(one, segment));
  return {
    rows,
    emptyCandles: record.emptyCandles,
    life: segment.toMs <= (series.listedFromMs ?? -Infinity) ? 'not_listed' : 'listed',
    looks: attempts,
    isSeenTwice: attempts !== null && isSeenTwice(attempts, scope.recheckAfterMs),
    isSettled: attempts !== null && attempts.lastAtMs - segment.toMs >= SETTLED_AFTER_MS,
    isAtPageEdge: attempts?.between === 0 && fitsPage(whole, record),
    isBounded:
      (attempts?.between ?? 0) > 0 ||
      (own.rowsHull !== null && own.rowsHull.fromMs < whole.fromMs && own.rowsHull.toMs > whole.toMs),
    tradedShare: share === null ? null : Math.round(share * 100) / 100,
    isLiquid: isLiquid(trading),
    isPause: isPause((segment.toMs - segment.fromMs) / record.stepMs, trading),
    liquidSymbols: context.liquidAt(whole.fromMs),
    silence: stallAt(segment, context),
    incident: own.incidents.find((incident) => holds(incident, segment))?.id ?? null,
    spacing: spaced === undefined ? null : { periodCandles: spaced.periodCandles, holes: spaced.holes },
    cut: series.cut.find((candle) => candle.openTimeMs + record.stepMs === whole.fromMs) ?? null,
    accepted: accepted === undefined ? null : { reason: accepted.reason, by: accepted.by, atMs: accepted.atMs },
  };
}

function stallAt(segment: Segment, { stalls }: GapContext): GapEvidence['silence'] {
  const found = stalls.find((stall) => holds(stall, segment));
  return found === undefined
    ? null
    : { silent: found.silent, trading: found.trading, others: found.others, isConfirmed: found.isConfirmed };
}
