import type { HttpResponse } from '../platform/ports/http.ts';
import { intervalMs } from '../domain/interval.ts';
import type { DeliveredRow, Page } from './adapter.ts';
import { responseError, type ErrorMapping } from './response-errors.ts';

/** One row as the adapter read it. */
export interface WireRow {
  readonly row: DeliveredRow;
  /** What the exchange states; null where it does not. */
  readonly isClosed: boolean | null;
}

export interface CandleResponse {
  readonly page: Page;
  readonly response: HttpResponse;
  readonly nowMs: number;
  /** The rows of the body, in its order. */
  readonly rows: readonly unknown[];
}

/**
 * Rows of a candle response that lie in the page's range and had closed, oldest first. Closed means: by our clock
 * including the grace, and by the exchange's clock where it states its time, so that a clock of ours that is ahead
 * takes no candle too early. A row that cannot be read makes the whole response invalid, and so does a response
 * without any row in the requested range.
 * @throws SchemaMismatchError (SCHEMA_MISMATCH).
 */
export function candleRows(
  mapping: ErrorMapping,
  { page, response, nowMs, rows }: CandleResponse,
  readRow: (row: unknown, index: number) => WireRow | null,
): readonly DeliveredRow[] {
  const read = rows.map((row, index) => {
    const one = readRow(row, index);
    if (one === null) throw responseError(mapping, { response, nowMs, reason: `row ${index} is no candle` });
    return one;
  });
  const { fromMs, toMs } = page.range;
  const inside = read.filter(({ row }) => row.openTimeMs >= fromMs && row.openTimeMs < toMs);
  if (read.length > 0 && inside.length === 0)
    throw responseError(mapping, { response, nowMs, reason: 'no row lies in the requested range' });
  const settledMs = Math.min(nowMs - mapping.graceMs, venueTimeMs(response));
  return inside
    .filter(({ row, isClosed }) => isClosed !== false && row.openTimeMs + intervalMs(page.series.interval) <= settledMs)
    .map(({ row }) => row)
    .toSorted((a, b) => a.openTimeMs - b.openTimeMs);
}

/** The last millisecond that the Date header, in whole seconds, may mean; Infinity without one. */
function venueTimeMs({ headers }: HttpResponse): number {
  const timeMs = Date.parse(headers['date'] ?? '');
  return Number.isNaN(timeMs) ? Infinity : timeMs + 999;
}
