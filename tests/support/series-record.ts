import { mergeRanges, subtractRanges } from '../../src/domain/range.ts';
import { notableRows, type SeriesRecord, type SeriesRows } from '../../src/lake/quality/gaps/series-record.ts';

/** Rows and responses of one series as ranges. */
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
