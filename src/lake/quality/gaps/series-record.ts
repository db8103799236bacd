import type { Candle } from '../../../domain/candle.ts';
import type { Exchange } from '../../../domain/exchange.ts';
import { intersectRanges, mergeRanges, subtractRanges, type TimeRange } from '../../../domain/range.ts';
import type { MarketSymbol } from '../../../domain/symbol.ts';
import type { NotableRows } from '../../../domain/cell.ts';
import type { Acceptance } from '../../../state/verdicts.ts';
import { isTruncated } from '../row-rules.ts';

/** The input of gap classification. Everything is a range of candles, so a year of minutes stays small. */

/** One used response: the requested range, and the first and last candle delivered. */
export interface ObservedResponse extends TimeRange {
  readonly atMs: number;
  /** Open times; null for a response without rows. */
  readonly firstOpenMs: number | null;
  readonly lastOpenMs: number | null;
}

export interface SeriesRecord extends NotableRows {
  readonly symbol: MarketSymbol;
  /** Open time of the first candle ever; null while unknown. */
  readonly listedFromMs: number | null;
  readonly responses: readonly ObservedResponse[];
  /** Covered by any response. Nothing else is known, and nothing else gets a verdict. */
  readonly answered: readonly TimeRange[];
  /** Covered by a response, but without a row, valid or invalid. Neighbouring candles form one range. */
  readonly missing: readonly TimeRange[];
  readonly accepted: readonly Acceptance[];
}

/** Another venue in the same time: what its responses cover, and when any of its markets traded. */
export interface OtherVenue {
  readonly exchange: Exchange;
  readonly answered: readonly TimeRange[];
  readonly traded: readonly TimeRange[];
}

/** One venue and candle length: all its symbols, with the thirty days before the classified range, as far as known. */
export interface VenueRecord {
  readonly exchange: Exchange;
  /** Candle length. Unit: milliseconds. */
  readonly stepMs: number;
  /** How the venue delivers a candle without trades: as a flat row, or not at all. */
  readonly emptyCandles: 'flat' | 'omitted';
  readonly rowsPerPageMax: number;
  readonly series: readonly SeriesRecord[];
  readonly others: readonly OtherVenue[];
}

export type RecordedRow = Pick<Candle, 'openTimeMs' | 'high' | 'low' | 'volume' | 'closeTimeMs'>;

/** Rows of one series in any order, invalid ones included. */
export interface SeriesRows
  extends Pick<SeriesRecord, 'symbol' | 'responses'>,
    Partial<Pick<SeriesRecord, 'listedFromMs' | 'accepted'>> {
  readonly rows: readonly RecordedRow[];
  readonly stepMs: number;
}

/** One price and no volume: a venue fills a candle without trades like this, and one during a halt. */
const isFlat = (row: RecordedRow): boolean => row.volume === 0 && row.high === row.low;

/** Flat rows and truncated candles among `rows`. */
export const notableRows = (rows: readonly RecordedRow[], stepMs: number): NotableRows => ({
  flat: mergeRanges(rows.filter(isFlat).map(({ openTimeMs }) => ({ fromMs: openTimeMs, toMs: openTimeMs + stepMs }))),
  cut: rows.flatMap(({ openTimeMs, closeTimeMs }) =>
    closeTimeMs !== null && isTruncated({ openTimeMs, closeTimeMs }, stepMs) ? [{ openTimeMs, closeTimeMs }] : [],
  ),
});

/** What responses cover since the listing; while the listing is unknown, since the first row. */
export function knownOf(series: SeriesRecord): TimeRange[] {
  const firstRowMs = subtractRanges(series.answered, series.missing)[0]?.fromMs ?? Infinity;
  return intersectRanges(series.answered, [{ fromMs: series.listedFromMs ?? firstRowMs, toMs: Infinity }]);
}

/** Times without a trade: no row, or a flat one. */
export const quietRangesOf = (series: SeriesRecord): TimeRange[] =>
  intersectRanges(knownOf(series), [...series.missing, ...series.flat]);

/** The part of a venue's record that the classification of another venue uses. */
export const asOtherVenue = ({ exchange, series }: VenueRecord): OtherVenue => ({
  exchange,
  answered: mergeRanges(series.flatMap((one) => one.answered)),
  traded: mergeRanges(series.flatMap((one) => subtractRanges(knownOf(one), quietRangesOf(one)))),
});
