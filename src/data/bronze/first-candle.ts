import type { Series } from '../../market/candle.ts';
import { DAY_MS, intervalMs } from '../../market/interval.ts';
import type { TimeRange } from '../../market/range.ts';
import { firstCandleOf, recordFirstCandle } from '../../faults/ledger/symbols.ts';
import type { DeliveredRow } from '../exchanges/adapter.ts';
import { askVenue, type VenueContext } from './venue-request.ts';

/**
 * Open time of the series' first candle ever, found once and remembered: what lies before it is not
 * due. Null while nobody knows. Only a candle that a venue delivered proves anything; that it delivered
 * none before is asked twice.
 */
export async function firstCandle(context: VenueContext, series: Series): Promise<number | null> {
  const { ports, adapter } = context;
  const known = await ports.store.read('firstCandleOf', () => firstCandleOf(series));
  if (known !== null) return known.openMs;
  const seenAtMs = ports.clock.nowMs();
  const openMs = adapter.firstCandle === null ? await searchFirst(context, series) : await askFirst(context, series, adapter.firstCandle);
  if (openMs !== null) await ports.store.transact('recordFirstCandle', () => recordFirstCandle(series, { openMs, seenAtMs }));
  return openMs;
}

async function askFirst(context: VenueContext, series: Series, first: NonNullable<VenueContext['adapter']['firstCandle']>): Promise<number | null> {
  const result = await askVenue(context, { page: { series, range: { fromMs: 0, toMs: context.ports.clock.nowMs() } }, request: (origin) => first.request(origin, series), read: first.read });
  return result.ok ? result.value : null;
}

/** Daily pages walked back at most: more than twenty years of the smallest page. */
const PAGES_MAX = 40;

/**
 * Walks back over daily candles to the first day, then reads that day at the series' own interval. A
 * venue whose fine candles begin later than its daily ones leaves the answer open.
 */
async function searchFirst(context: VenueContext, series: Series): Promise<number | null> {
  const daily: Series = { ...series, interval: '1d' };
  const spanMs = context.adapter.rowsPerPageMax * DAY_MS;
  let firstDayMs: number | null = null;
  let toMs = Math.floor(context.ports.clock.nowMs() / DAY_MS) * DAY_MS;
  for (let page = 0; page < PAGES_MAX; page++) {
    const rows = await askTwice(context, daily, { fromMs: toMs - spanMs, toMs });
    if (rows === null) return null;
    const [first] = rows;
    if (first === undefined) return firstDayMs === null ? null : firstOfDay(context, series, firstDayMs);
    firstDayMs = first.openTimeMs;
    toMs = firstDayMs;
  }
  return null;
}

async function firstOfDay(context: VenueContext, series: Series, dayMs: number): Promise<number | null> {
  const spanMs = context.adapter.rowsPerPageMax * intervalMs(series.interval);
  for (let fromMs = dayMs; fromMs < dayMs + DAY_MS; fromMs += spanMs) {
    const rows = await askTwice(context, series, { fromMs, toMs: Math.min(fromMs + spanMs, dayMs + DAY_MS) });
    if (rows === null) return null;
    if (rows[0] !== undefined) return rows[0].openTimeMs;
  }
  return null;
}

/** Rows of a page, an empty one asked a second time; null when it could not be had. */
async function askTwice(context: VenueContext, series: Series, range: TimeRange): Promise<readonly DeliveredRow[] | null> {
  const once = await askOnce(context, series, range);
  return once?.length === 0 ? askOnce(context, series, range) : once;
}

async function askOnce(context: VenueContext, series: Series, range: TimeRange): Promise<readonly DeliveredRow[] | null> {
  const page = { series, range };
  const result = await askVenue(context, {
    page,
    request: (origin, askedAtMs) => context.adapter.candlesRequest(origin, page, askedAtMs),
    read: (answer, answeredAtMs) => context.adapter.readCandles(page, answer, answeredAtMs),
  });
  return result.ok ? result.value : null;
}
