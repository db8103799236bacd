import { hullOfRanges, intersectRanges, subtractRanges, type TimeRange } from '../../../domain/range.ts';
import { candlesOf, concerns, type KnownIncident } from './known-incidents.ts';
import { isLiquid, marketOf, tradingBefore, type TradingHistory, type Trading } from './liquidity.ts';
import { isSeenTwice, attemptsAt } from './attempts.ts';
import type { SeriesRecord, VenueRecord } from './series-record.ts';
import { LIQUID_SYMBOLS_MIN, stallsOf, type ExchangeStall } from './exchange-stall.ts';
import { spacedHoles, type SpacedHole } from './spacing.ts';

export interface ClassificationScope {
  /** What is judged; the record reaches further back. */
  readonly judged: TimeRange;
  readonly incidents: readonly KnownIncident[];
  readonly recheckAfterMs: number;
}

/** One symbol, with what is worked out once for all its holes. */
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
  readonly silences: readonly ConfirmedStall[];
  /** Liquid symbols of the venue at a time, of those that it was answered about. */
  readonly liquidAt: (timeMs: number) => number;
}

export interface ConfirmedStall extends ExchangeStall {
  /** Enough of its symbols came without rows twice, or with flat ones. */
  readonly isConfirmed: boolean;
}

/** A part of a hole, or of a run of flat rows, about which the same facts are known. */
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
      spaced: one.missing.some((hole) => touches(hole, scope.judged))
        ? spacedHoles(one, { ...record, judged: scope.judged })
        : [],
    };
  });
  const silences = stallsOf(
    record,
    series.map(({ market }) => market),
  ).map((silence) => ({ ...silence, isConfirmed: isConfirmed(silence, record, scope) }));
  return { record, scope, series, silences, liquidAt: liquidCount(record, series, silences) };
}

/** Holes of many symbols begin at the same time, so each time is counted once. */
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

function isConfirmed(silence: ExchangeStall, record: VenueRecord, { recheckAfterMs }: ClassificationScope): boolean {
  const confirmed = record.series
    .filter(({ symbol }) => silence.silent.includes(symbol))
    .filter((series) =>
      series.missing
        .filter((hole) => touches(hole, silence))
        .every((hole) =>
          intersectRanges([hole], [silence])
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

/** True when a hole and a row on each side of it fit into one answer. */
export const fitsPage = (hole: TimeRange, { stepMs, rowsPerPageMax }: VenueRecord): boolean =>
  (hole.toMs - hole.fromMs) / stepMs + 2 <= rowsPerPageMax;

export const tradingAt = (timeMs: number, { market }: SeriesContext, { record, silences }: GapContext): Trading =>
  tradingBefore(timeMs, market, { stepMs: record.stepMs, closed: silences });

/** Every stretch of a series to be judged: its holes and flat runs, cut wherever what is known changes. Oldest first. */
export function segmentsOf({ series, incidents, spaced }: SeriesContext, { scope, silences }: GapContext): Segment[] {
  const { judged } = scope;
  const life = { fromMs: series.listedFromMs ?? judged.fromMs, toMs: judged.toMs };
  const bounds: readonly TimeRange[] = [judged, life, ...incidents, ...silences, ...series.accepted, ...spaced];
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
        .filter((part) => holds(judged, part));
    };
  const own = (runs: readonly TimeRange[]): TimeRange[] => runs.filter((run) => touches(run, judged));
  return [...own(series.missing).flatMap(parts('missing')), ...own(series.flat).flatMap(parts('flat'))].toSorted(
    (a, b) => a.fromMs - b.fromMs,
  );
}
