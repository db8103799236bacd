import type { Series } from '../../market/candle.ts';
import { DAY_MS, intervalMs, type Interval } from '../../market/interval.ts';
import type { TimeRange } from '../../market/range.ts';
import { firstCandleOf, recordFirstCandle } from '../../faults/ledger/symbols.ts';
import type { DeliveredRow } from '../exchanges/adapter.ts';
import { askVenue, type VenueContext } from './venue-request.ts';

/**
 * Open time of the series' first candle ever, found once and remembered: what lies before it is not
 * due. Null while nobody knows. Only a candle that a venue delivered proves anything; that it delivered
 * none before must be said twice. A listing date in the venue's metadata is not asked: OKX gives 2021
 * for BTC-USDT, whose candles begin in 2017.
 *
 * `heldMs`: the earliest candle of the series the caller holds. A first candle after that is wrong,
 * whoever says so, and not believed.
 */
export async function firstCandle(context: VenueContext, series: Series, { heldMs }: { readonly heldMs: number } = { heldMs: Infinity }): Promise<number | null> {
  const { ports, adapter } = context;
  const known = await ports.store.read('firstCandleOf', () => firstCandleOf(series));
  if (known !== null && known.openMs <= heldMs) return known.openMs;
  const seenAtMs = ports.clock.nowMs();
  const found = adapter.firstCandle === null ? await searchFirst(context, series) : await askFirst(context, series, adapter.firstCandle);
  if (typeof found === 'string' || found > heldMs) return null;
  await ports.store.transact('recordFirstCandle', () => recordFirstCandle(series, { openMs: found, seenAtMs }));
  return found;
}

/** An open time; `none` where the venue has no candle; `unknown` where it could not be asked to the end. */
type Found = number | 'none' | 'unknown';

async function askFirst(context: VenueContext, series: Series, first: NonNullable<VenueContext['adapter']['firstCandle']>): Promise<Found> {
  const result = await askVenue(context, { page: { series, range: { fromMs: 0, toMs: context.ports.clock.nowMs() } }, request: (origin) => first.request(origin, series), read: first.read });
  return result.ok ? (result.value ?? 'none') : 'unknown';
}

/** Nothing was traded on an exchange before. */
const SINCE_MS = Date.UTC(2010, 0, 1);

/** Lengths whose first candle says where to look for that of a shorter length. */
const SIGNPOSTS: readonly Interval[] = ['1d', '1h'];

/** The first day among all daily candles, inside it the first hour, inside that the first minute. */
async function searchFirst(context: VenueContext, series: Series): Promise<Found> {
  const { clock } = context.ports;
  const signpost = SIGNPOSTS.findLast((interval) => intervalMs(interval) > intervalMs(series.interval) && context.adapter.intervals.includes(interval));
  if (signpost === undefined) return earliestIn(context, series, { fromMs: SINCE_MS, toMs: Math.floor(clock.nowMs() / DAY_MS) * DAY_MS });
  const fromMs = await firstCandle(context, { ...series, interval: signpost });
  return fromMs === null ? 'unknown' : searchForward(context, series, fromMs);
}

/** Pages looked through after the signpost: short candles may begin later than long ones (OKX: by three months). */
const PAGES_FORWARD_MAX = 40;

async function searchForward(context: VenueContext, series: Series, fromMs: number): Promise<Found> {
  const spanMs = context.adapter.rowsPerPageMax * intervalMs(series.interval);
  const endMs = Math.min(fromMs + PAGES_FORWARD_MAX * spanMs, context.ports.clock.nowMs());
  for (let startMs = fromMs; startMs < endMs; startMs += spanMs) {
    const found = await earliestIn(context, series, { fromMs: startMs, toMs: startMs + spanMs });
    if (found !== 'none') return found;
  }
  return 'unknown';
}

/** So often a stretch must come back without a candle before it is believed: one empty answer is no proof. */
const SILENCES = 2;
const WALKS_MAX = 6;

/** The earliest candle of a range: walks back over it until what lies before has been silent often enough. */
async function earliestIn(context: VenueContext, series: Series, { fromMs, toMs }: TimeRange): Promise<Found> {
  let found: Found = 'none';
  let silences = 0;
  for (let walk = 0; walk < WALKS_MAX; walk++) {
    const earlier = await walkBack(context, series, { fromMs, toMs: found === 'none' ? toMs : found });
    if (earlier === 'unknown') return 'unknown';
    silences = earlier === 'none' ? silences + 1 : 1;
    if (earlier !== 'none') found = earlier;
    if (silences === SILENCES || found === fromMs) return found;
  }
  return 'unknown';
}

/** Requests of one walk: more than thirty years of daily candles in the smallest page. */
const PAGES_BACK_MAX = 40;

/** Asks page by page from the end of the range to its beginning, whatever is empty on the way: a market may have been closed for years. */
async function walkBack(context: VenueContext, series: Series, range: TimeRange): Promise<Found> {
  const stepMs = intervalMs(series.interval);
  let found: Found = 'none';
  let toMs = range.toMs;
  for (let page = 0; toMs > range.fromMs; page++) {
    if (page === PAGES_BACK_MAX) return 'unknown';
    const fromMs = Math.max(range.fromMs, toMs - context.adapter.rowsPerPageMax * stepMs);
    const rows = await askOnce(context, series, { fromMs, toMs });
    if (rows === null) return 'unknown';
    const first = rows.find((row) => row.openTimeMs % stepMs === 0);
    if (first !== undefined) found = first.openTimeMs;
    toMs = first?.openTimeMs ?? fromMs;
  }
  return found;
}

/** Rows of a page; null when it could not be had. */
async function askOnce(context: VenueContext, series: Series, range: TimeRange): Promise<readonly DeliveredRow[] | null> {
  const page = { series, range };
  const result = await askVenue(context, {
    page,
    request: (origin, askedAtMs) => context.adapter.candlesRequest(origin, page, askedAtMs),
    read: (answer, answeredAtMs) => context.adapter.readCandles(page, answer, answeredAtMs),
  });
  return result.ok ? result.value : null;
}
