import { hullOfRanges, intersectRanges, subtractRanges, type TimeRange } from '../../../domain/range.ts';
import { candlesOf, concerns, type KnownIncident } from './known-incidents.ts';
import { isLiquid, marketOf, tradingBefore, type TradingHistory, type Trading } from './liquidity.ts';
import { isSeenTwice, attemptsAt } from './attempts.ts';
import type { SeriesRecord, VenueRecord } from './series-record.ts';
import { LIQUID_SYMBOLS_MIN, stallsOf, type ExchangeStall } from './exchange-stall.ts';
import { spacedHoles, type SpacedHole } from './spacing.ts';

export interface ClassificationScope {
  /** Gaps inside it get verdicts; the record reaches further back. */
  readonly classified: TimeRange;
  readonly incidents: readonly KnownIncident[];
  readonly recheckAfterMs: number;
}

/** One symbol, with everything computed once for all its holes. */
export interface SeriesContext {
  readonly series: SeriesRecord;
  readonly market: TradingHistory;
  /** From the first row to the end of the last; null without rows. */
  readonly rowsHull: TimeRange | null;
  readonly incidents: readonly (TimeRange & Pick<KnownIncident, 'id'>)[];
  readonly spaced: readonly SpacedHole[];
}

/** The venue as a whole. */
export interface GapContext {
  readonly record: VenueRecord;
  readonly scope: ClassificationScope;
  readonly series: readonly SeriesContext[];
  readonly stalls: readonly ConfirmedStall[];
  /** Number of liquid symbols of the venue at a time, among those with a response for it. */
  readonly liquidAt: (timeMs: number) => number;
}

export interface ConfirmedStall extends ExchangeStall {
  /** Enough of its symbols were requested twice and had no rows, or flat ones. */
  readonly isConfirmed: boolean;
}

/** A part of a hole, or of a run of flat rows, for which the evidence is uniform. */
export interface Segment extends TimeRange {
  readonly rows: 'missing' | 'flat';
  /** The whole hole or run. */
  readonly whole: TimeRange;
}

export function gapContextOf(record: VenueRecord, scope: ClassificationScope): GapContext {
  const series = record.series.map((one): SeriesContext => {
    const incidents = scope.incidents
      .filter((incident) => concerns(incident, { exchange: record.exchange, symbol: one.symbol }))
      .map((incident) => ({ id: incident.id, ...candlesOf(incident, record.stepMs) }));
    return {
      series: one,
      incidents,
      market: marketOf(one, incidents),
      rowsHull: hullOfRanges(subtractRanges(one.answered, one.missing)),
      spaced: one.missing.some((hole) => touches(hole, scope.classified))
        ? spacedHoles(one, { ...record, classified: scope.classified })
        : [],
    };
  });
  const stalls = stallsOf(
    record,
    series.map(({ market }) => market),
  ).map((stall) => ({ ...stall, isConfirmed: isConfirmed(stall, record, scope) }));
  return { record, scope, series, stalls, liquidAt: liquidCount(record, series, stalls) };
}

/** Holes of many symbols begin at the same time, so each count is cached. */
function liquidCount(
  { stepMs }: VenueRecord,
  series: readonly SeriesContext[],
  closed: readonly TimeRange[],
): GapContext['liquidAt'] {
  const counted = new Map<number, number>();
  const isLiquidAt = ({ market }: SeriesContext, timeMs: number): boolean =>
    market.known.some((range) => range.fromMs <= timeMs && timeMs < range.toMs) &&
    isLiquid(tradingBefore(timeMs, market, { stepMs, closed }));
  return (timeMs) => {
    const count = counted.get(timeMs) ?? series.filter((one) => isLiquidAt(one, timeMs)).length;
    counted.set(timeMs, count);
    return count;
  };
}

function isConfirmed(stall: ExchangeStall, record: VenueRecord, { recheckAfterMs }: ClassificationScope): boolean {
  const confirmed = record.series
    .filter(({ symbol }) => stall.silent.includes(symbol))
    .filter((series) =>
      series.missing
        .filter((hole) => touches(hole, stall))
        .every((hole) =>
          intersectRanges([hole], [stall])
            .map((part) => attemptsAt(part, series.responses))
            .every(
              (attempts) => isSeenTwice(attempts, recheckAfterMs) && (attempts.between > 0 || !fitsPage(hole, record)),
            ),
        ),
    );
  return confirmed.length >= LIQUID_SYMBOLS_MIN;
}

export const holds = (outer: TimeRange, inner: TimeRange): boolean =>
  outer.fromMs <= inner.fromMs && outer.toMs >= inner.toMs;
const touches = (a: TimeRange, b: TimeRange): boolean => a.fromMs < b.toMs && a.toMs > b.fromMs;

/** True when a hole and a row on each side of it fit into one response. */
export const fitsPage = (hole: TimeRange, { stepMs, rowsPerPageMax }: VenueRecord): boolean =>
  (hole.toMs - hole.fromMs) / stepMs + 2 <= rowsPerPageMax;

export const tradingAt = (timeMs: number, { market }: SeriesContext, { record, stalls }: GapContext): Trading =>
  tradingBefore(timeMs, market, { stepMs: record.stepMs, closed: stalls });

/** Segments of a series to classify: its holes and flat runs, split where the evidence changes. Oldest first. */
export function segmentsOf({ series, incidents, spaced }: SeriesContext, { scope, stalls }: GapContext): Segment[] {
  const { classified } = scope;
  const listedTime = { fromMs: series.listedFromMs ?? classified.fromMs, toMs: classified.toMs };
  const bounds: readonly TimeRange[] = [classified, listedTime, ...incidents, ...stalls, ...series.accepted, ...spaced];
  const edgesMs = [...new Set(bounds.flatMap(({ fromMs, toMs }) => [fromMs, toMs]))].toSorted((a, b) => a - b);
  const parts =
    (rows: Segment['rows']) =>
    (whole: TimeRange): Segment[] => {
      const cutsMs = [
        whole.fromMs,
        ...edgesMs.filter((timeMs) => timeMs > whole.fromMs && timeMs < whole.toMs),
        whole.toMs,
      ];
      return cutsMs
        .slice(1)
        .map((toMs, at) => ({ rows, whole, fromMs: cutsMs[at] as number, toMs }))
        .filter((part) => holds(classified, part));
    };
  const own = (runs: readonly TimeRange[]): TimeRange[] => runs.filter((run) => touches(run, classified));
  return [...own(series.missing).flatMap(parts('missing')), ...own(series.flat).flatMap(parts('flat'))].toSorted(
    (a, b) => a.fromMs - b.fromMs,
  );
}
