import type { Candle } from '../../../domain/candle.ts';
import type { Exchange } from '../../../domain/exchange.ts';
import { intersectRanges, mergeRanges, subtractRanges, type TimeRange } from '../../../domain/range.ts';
import type { MarketSymbol } from '../../../domain/symbol.ts';
import type { NotableRows } from '../../../domain/account.ts';
import type { Acceptance } from '../../../state/verdicts.ts';
import { isTruncated } from '../row-rules.ts';

/** What is known when holes are judged. Everything is a run of candles, so a year of minutes stays small. */

/** One used answer: the stretch that was asked for, and the first and last candle that came. */
export interface ObservedResponse extends TimeRange {
  readonly atMs: number;
  /** Open times; null for an answer without rows. */
  readonly firstOpenMs: number | null;
  readonly lastOpenMs: number | null;
}

export interface SeriesRecord extends NotableRows {
  readonly symbol: MarketSymbol;
  /** Open time of the first candle ever; null while nobody knows. */
  readonly listedFromMs: number | null;
  readonly responses: readonly ObservedResponse[];
  /** What any answer covers. About the rest nothing is known and nothing is judged. */
  readonly answered: readonly TimeRange[];
  /** Answered, and no row came, valid or invalid. Each as long as it can be. */
  readonly missing: readonly TimeRange[];
  readonly accepted: readonly Acceptance[];
}

/** Another venue in the same time: what it answered, and when any of its markets traded. */
export interface OtherVenue {
  readonly exchange: Exchange;
  readonly answered: readonly TimeRange[];
  readonly traded: readonly TimeRange[];
}

/** One venue and candle length: all its symbols, and the thirty days before what is judged, as far as they are known. */
export interface VenueRecord {
  readonly exchange: Exchange;
  /** Candle length. Unit: milliseconds. */
  readonly stepMs: number;
  /** How a candle comes in which nobody traded: as a flat row, or not at all. */
  readonly emptyCandles: 'flat' | 'omitted';
  readonly rowsPerPageMax: number;
  readonly series: readonly SeriesRecord[];
  readonly others: readonly OtherVenue[];
}

export type RecordedRow = Pick<Candle, 'openTimeMs' | 'high' | 'low' | 'volume' | 'closeTimeMs'>;

/** What is known of one series: rows in any order, invalid ones included. */
export interface SeriesRows
  extends Pick<SeriesRecord, 'symbol' | 'responses'>,
    Partial<Pick<SeriesRecord, 'listedFromMs' | 'accepted'>> {
  readonly rows: readonly RecordedRow[];
  readonly stepMs: number;
}

/** One price and no volume: a venue fills an empty candle like this, and one in which it stood still. */
const isFlat = (row: RecordedRow): boolean => row.volume === 0 && row.high === row.low;

/** What rows tell beyond that they are there. */
export const notableRows = (rows: readonly RecordedRow[], stepMs: number): NotableRows => ({
  flat: mergeRanges(rows.filter(isFlat).map(({ openTimeMs }) => ({ fromMs: openTimeMs, toMs: openTimeMs + stepMs }))),
  cut: rows.flatMap(({ openTimeMs, closeTimeMs }) =>
    closeTimeMs !== null && isTruncated({ openTimeMs, closeTimeMs }, stepMs) ? [{ openTimeMs, closeTimeMs }] : [],
  ),
});

/** Rows and answers of one series as runs. */
export function seriesRecord({ rows, stepMs, ...known }: SeriesRows): SeriesRecord {
  const answered = mergeRanges(known.responses);
  return {
    listedFromMs: null,
    accepted: [],
    ...known,
    answered,
    missing: subtractRanges(
      answered,
      rows.map(({ openTimeMs }) => ({ fromMs: openTimeMs, toMs: openTimeMs + stepMs })),
    ),
    ...notableRows(rows, stepMs),
  };
}

/** What was answered within the life of the market. A hole before the first candle tells nothing while the listing is unknown. */
export function knownOf(series: SeriesRecord): TimeRange[] {
  const firstRowMs = subtractRanges(series.answered, series.missing)[0]?.fromMs ?? Infinity;
  return intersectRanges(series.answered, [{ fromMs: series.listedFromMs ?? firstRowMs, toMs: Infinity }]);
}

/** When nobody traded: no row, or a flat one. */
export const quietRangesOf = (series: SeriesRecord): TimeRange[] =>
  intersectRanges(knownOf(series), [...series.missing, ...series.flat]);

/** What a venue's record is to the others. */
export const asOtherVenue = ({ exchange, series }: VenueRecord): OtherVenue => ({
  exchange,
  answered: mergeRanges(series.flatMap((one) => one.answered)),
  traded: mergeRanges(series.flatMap((one) => subtractRanges(knownOf(one), quietRangesOf(one)))),
});
