import type { TruncatedCandle } from '../../../domain/account.ts';
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
 * Everything the rules may look at, for one stretch of one series, as plain JSON. It is stored with the
 * verdict, so that a reader sees why, and anybody can decide again from it alone.
 */
export interface GapEvidence {
  /** No row came, or flat ones without volume. */
  readonly rows: Segment['rows'];
  readonly emptyCandles: VenueRecord['emptyCandles'];
  readonly life: 'not_listed' | 'listed';
  /** Null for flat rows: they came. */
  readonly looks: Attempts | null;
  /** Asked for twice, far enough apart. */
  readonly isSeenTwice: boolean;
  /** The last answer came when the candles could no longer change. */
  readonly isSettled: boolean;
  /** No answer had a row on both sides, although one could have. */
  readonly isAtPageEdge: boolean;
  /** The series has rows before and after the hole; those of a day that is not due yet count where one answer had both. */
  readonly isBounded: boolean;
  /** Share of candles with a trade in the thirty days before, two decimals; null with too little history. */
  readonly tradedShare: number | null;
  readonly isLiquid: boolean;
  /** No longer than a market that trades this often may be expected to pause. */
  readonly isPause: boolean;
  /** Liquid symbols of the venue at that time; those whose requests failed do not count. */
  readonly liquidSymbols: number;
  /** The venue stood still as a whole. */
  readonly silence: Omit<ConfirmedStall, keyof TimeRange> | null;
  /** Id in the shipped list. */
  readonly incident: string | null;
  readonly spacing: Spacing | null;
  /** The candle right before the hole was closed early. */
  readonly cut: TruncatedCandle | null;
  readonly accepted: Pick<Acceptance, 'reason' | 'by' | 'atMs'> | null;
}

/** After so long no venue adds a candle that it left out. */
const SETTLED_AFTER_MS = 7 * 86_400_000;

/** Gathers what is known of one stretch. */
export function evidenceOf(segment: Segment, own: SeriesContext, context: GapContext): GapEvidence {
  const { series } = own;
  const { record, scope } = context;
  const { rows, whole } = segment;
  const looks = rows === 'missing' ? attemptsAt(segment, series.responses) : null;
  const trading = tradingAt(whole.fromMs, own, context);
  const share = tradedShare(trading);
  const spaced = own.spaced.filter((hole) => holds(hole, segment)).toSorted((a, b) => b.holes - a.holes)[0];
  const accepted = series.accepted.find((one) => holds(one, segment));
  return {
    rows,
    emptyCandles: record.emptyCandles,
    life: segment.toMs <= (series.listedFromMs ?? -Infinity) ? 'not_listed' : 'listed',
    looks,
    isSeenTwice: looks !== null && isSeenTwice(looks, scope.recheckAfterMs),
    isSettled: looks !== null && looks.lastAtMs - segment.toMs >= SETTLED_AFTER_MS,
    isAtPageEdge: looks?.between === 0 && fitsPage(whole, record),
    isBounded:
      (looks?.between ?? 0) > 0 ||
      (own.rowsHull !== null && own.rowsHull.fromMs < whole.fromMs && own.rowsHull.toMs > whole.toMs),
    tradedShare: share === null ? null : Math.round(share * 100) / 100,
    isLiquid: isLiquid(trading),
    isPause: isPause((segment.toMs - segment.fromMs) / record.stepMs, trading),
    liquidSymbols: context.liquidAt(whole.fromMs),
    silence: silenceAt(segment, context),
    incident: own.incidents.find((incident) => holds(incident, segment))?.id ?? null,
    spacing: spaced === undefined ? null : { periodCandles: spaced.periodCandles, holes: spaced.holes },
    cut: series.cut.find((candle) => candle.openTimeMs + record.stepMs === whole.fromMs) ?? null,
    accepted: accepted === undefined ? null : { reason: accepted.reason, by: accepted.by, atMs: accepted.atMs },
  };
}

function silenceAt(segment: Segment, { silences }: GapContext): GapEvidence['silence'] {
  const found = silences.find((silence) => holds(silence, segment));
  return found === undefined
    ? null
    : { silent: found.silent, trading: found.trading, others: found.others, isConfirmed: found.isConfirmed };
}
