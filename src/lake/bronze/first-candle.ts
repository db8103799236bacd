import type { Series } from '../../domain/candle.ts';
import { DAY_MS, intervalMs, type Interval } from '../../domain/interval.ts';
import type { TimeRange } from '../../domain/range.ts';
import { firstCandleOf, recordFirstCandle } from '../../state/symbols.ts';
import type { DeliveredRow } from '../../exchanges/adapter.ts';
import { queryExchange, type QueryContext } from './exchange-query.ts';

/**
 * Open time of the series' first candle ever, found once and remembered: what lies before it is not
 * due. Null while nobody knows, and then everything asked stays due. Only a candle that a venue delivered
 * proves anything; that it delivered none before must be said twice and agree with its candles of another
 * length. A listing date in the venue's metadata is not asked: OKX gives 2021 for BTC-USDT, whose candles
 * begin in 2017.
 *
 * `heldMs`: the earliest candle of the series the caller holds. A first candle after that is wrong,
 * whoever says so, and not believed.
 */
export async function firstCandle(
  context: QueryContext,
  series: Series,
  { heldMs }: { readonly heldMs: number } = { heldMs: Infinity },
): Promise<number | null> {
  const { ports, adapter } = context;
  const known = await ports.store.read('firstCandleOf', () => firstCandleOf(series));
  if (known !== null && known.openMs <= heldMs) return known.openMs;
  const seenAtMs = ports.clock.nowMs();
  const openMs =
    adapter.firstCandle === null
      ? await searchFirst(context, series)
      : await askFirst(context, series, adapter.firstCandle);
  if (openMs === null || openMs > heldMs) return null;
  await ports.store.transact('recordFirstCandle', () => recordFirstCandle(series, { openMs, seenAtMs }));
  return openMs;
}

async function askFirst(
  context: QueryContext,
  series: Series,
  first: NonNullable<QueryContext['adapter']['firstCandle']>,
): Promise<number | null> {
  const result = await queryExchange(context, {
    page: { series, range: { fromMs: 0, toMs: context.ports.clock.nowMs() } },
    request: (origin) => first.request(origin, series),
    read: first.read,
  });
  return result.ok ? result.value : null;
}

/** Lengths whose first candle says where that of a shorter length is. */
const SIGNPOSTS: readonly Interval[] = ['1d', '1h'];

/** The first day among all daily candles, inside it the first hour, inside that the first minute. */
function searchFirst(context: QueryContext, series: Series): Promise<number | null> {
  const signpost = SIGNPOSTS.findLast(
    (interval) => intervalMs(interval) > intervalMs(series.interval) && context.adapter.intervals.includes(interval),
  );
  return signpost === undefined
    ? searchDay(context, series)
    : searchInside(context, series, { ...series, interval: signpost });
}

/** Nothing was traded on an exchange before. */
const SINCE_MS = Date.UTC(2010, 0, 1);

/** The first daily candle, before which there are no hourly ones either, where the venue has any. */
async function searchDay(context: QueryContext, series: Series): Promise<number | null> {
  const todayMs = Math.floor(context.ports.clock.nowMs() / DAY_MS) * DAY_MS;
  const found = await earliestIn(context, series, { fromMs: SINCE_MS, toMs: todayMs });
  if (typeof found === 'string') return null;
  if (!context.adapter.intervals.includes('1h')) return found.openTimeMs;
  const before = await earliestIn(
    context,
    { ...series, interval: '1h' },
    { fromMs: found.openTimeMs - context.adapter.rowsPerPageMax * intervalMs('1h'), toMs: found.openTimeMs },
  );
  return before === 'none' ? found.openTimeMs : null;
}

/**
 * The first short candle inside the first long one. It begins with the same trade, so it opens at the
 * same price; where it does not, or where a venue's short candles begin later than its long ones, nobody
 * knows whether candles are withheld.
 */
async function searchInside(context: QueryContext, series: Series, longer: Series): Promise<number | null> {
  const fromMs = await firstCandle(context, longer);
  if (fromMs === null) return null;
  const range = { fromMs, toMs: fromMs + intervalMs(longer.interval) };
  const long = (await askOnce(context, longer, range))?.[0];
  const found = await earliestIn(context, series, range);
  return typeof found === 'string' || found.open !== long?.open ? null : found.openTimeMs;
}

/** A candle; `none` where the venue has none; `unknown` where it could not be asked to the end. */
type Found = DeliveredRow | 'none' | 'unknown';

/** So often a stretch must come back without a candle before it is believed: one empty answer is no proof. */
const SILENCES = 2;
const WALKS_MAX = 6;

/** The earliest candle of a range: walks back over it until what lies before has been silent often enough. */
async function earliestIn(context: QueryContext, series: Series, { fromMs, toMs }: TimeRange): Promise<Found> {
  let found: Found = 'none';
  let silences = 0;
  for (let walk = 0; walk < WALKS_MAX; walk++) {
    const earlier = await walkBack(context, series, { fromMs, toMs: found === 'none' ? toMs : found.openTimeMs });
    if (earlier === 'unknown') return 'unknown';
    silences = earlier === 'none' ? silences + 1 : 1;
    if (earlier !== 'none') found = earlier;
    if (silences === SILENCES || (found !== 'none' && found.openTimeMs === fromMs)) return found;
  }
  return 'unknown';
}

/** Requests of one walk: more than thirty years of daily candles in the smallest page. */
const PAGES_BACK_MAX = 40;

/** Asks page by page from the end of the range to its beginning, whatever is empty on the way: a market may have been closed for years. */
async function walkBack(context: QueryContext, series: Series, range: TimeRange): Promise<Found> {
  const stepMs = intervalMs(series.interval);
  let found: Found = 'none';
  let toMs = range.toMs;
  for (let page = 0; toMs > range.fromMs; page++) {
    if (page === PAGES_BACK_MAX) return 'unknown';
    const fromMs = Math.max(range.fromMs, toMs - context.adapter.rowsPerPageMax * stepMs);
    const rows = await askOnce(context, series, { fromMs, toMs });
    if (rows === null) return 'unknown';
    const first = rows.find((row) => row.openTimeMs % stepMs === 0);
    if (first !== undefined) found = first;
    toMs = first?.openTimeMs ?? fromMs;
  }
  return found;
}

/** Rows of a page; null when it could not be had. */
async function askOnce(
  context: QueryContext,
  series: Series,
  range: TimeRange,
): Promise<readonly DeliveredRow[] | null> {
  const page = { series, range };
  const result = await queryExchange(context, {
    page,
    request: (origin, askedAtMs) => context.adapter.candlesRequest(origin, page, askedAtMs),
    read: (response, answeredAtMs) => context.adapter.readCandles(page, response, answeredAtMs),
  });
  return result.ok ? result.value : null;
}
