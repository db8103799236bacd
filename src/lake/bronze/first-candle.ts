import type { Series } from '../../domain/candle.ts';
import { DAY_MS, intervalMs, type Interval } from '../../domain/interval.ts';
import type { TimeRange } from '../../domain/range.ts';
import { firstCandleOf, recordFirstCandle } from '../../state/symbols.ts';
import type { DeliveredRow } from '../../exchanges/adapter.ts';
import { queryExchange, type QueryContext } from './exchange-query.ts';

/**
 * Open time of the first candle of a series, found once and stored: earlier candles are not due. Null while
 * unknown; then every requested candle stays due. A delivered candle proves that the series existed then. Absence
 * before it needs two empty responses and must agree with the venue's candles of another length. Listing dates in
 * metadata are not used: OKX states 2021 for BTC-USDT, whose candles begin in 2017.
 *
 * `heldMs`: the earliest candle that the caller holds. A first candle later than that is wrong and is discarded.
 */
export async function firstCandle(
  context: QueryContext,
  series: Series,
  { heldMs }: { readonly heldMs: number } = { heldMs: Infinity },
): Promise<number | null> {
  const { ports, adapter } = context;
  const known = await ports.store.read(firstCandleOf, series);
  if (known !== null && known.openMs <= heldMs) return known.openMs;
  const seenAtMs = ports.clock.nowMs();
  const openMs =
    adapter.firstCandle === null
      ? await searchFirst(context, series)
      : await queryFirst(context, series, adapter.firstCandle);
  if (openMs === null || openMs > heldMs) return null;
  await ports.store.transact(recordFirstCandle, series, { openMs, seenAtMs });
  return openMs;
}

async function queryFirst(
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

/** Lengths whose first candle shows where to search for that of a shorter length. */
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

/** No exchange has candles before this. */
const SINCE_MS = Date.UTC(2010, 0, 1);

/** The first daily candle; where the venue has hourly candles, there must be none before it. */
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
 * The first short candle inside the first long one. Both begin with the same trade, so they open at the same price.
 * Otherwise, or if the short candles begin later than the long ones, the venue may withhold candles: null.
 */
async function searchInside(context: QueryContext, series: Series, longer: Series): Promise<number | null> {
  const fromMs = await firstCandle(context, longer);
  if (fromMs === null) return null;
  const range = { fromMs, toMs: fromMs + intervalMs(longer.interval) };
  const long = (await fetchRows(context, longer, range))?.[0];
  const found = await earliestIn(context, series, range);
  return typeof found === 'string' || found.open !== long?.open ? null : found.openTimeMs;
}

/** A candle; `none` if the venue has none; `unknown` if the search did not reach the end. */
type Found = DeliveredRow | 'none' | 'unknown';

/** Empty responses needed before a range counts as empty: a single one proves nothing. */
const EMPTY_WALKS_MIN = 2;
const WALKS_MAX = 6;

/** The earliest candle of a range: walks back until enough walks found nothing earlier. */
async function earliestIn(context: QueryContext, series: Series, { fromMs, toMs }: TimeRange): Promise<Found> {
  let found: Found = 'none';
  let emptyWalks = 0;
  for (let walk = 0; walk < WALKS_MAX; walk++) {
    const earlier = await walkBack(context, series, { fromMs, toMs: found === 'none' ? toMs : found.openTimeMs });
    if (earlier === 'unknown') return 'unknown';
    emptyWalks = earlier === 'none' ? emptyWalks + 1 : 1;
    if (earlier !== 'none') found = earlier;
    if (emptyWalks === EMPTY_WALKS_MIN || (found !== 'none' && found.openTimeMs === fromMs)) return found;
  }
  return 'unknown';
}

/** Requests of one walk: more than thirty years of daily candles with the smallest page. */
const PAGES_BACK_MAX = 40;

/** Requests page by page from the end of the range to its beginning, past empty pages: a market may pause for years. */
async function walkBack(context: QueryContext, series: Series, range: TimeRange): Promise<Found> {
  const stepMs = intervalMs(series.interval);
  let found: Found = 'none';
  let toMs = range.toMs;
  for (let page = 0; toMs > range.fromMs; page++) {
    if (page === PAGES_BACK_MAX) return 'unknown';
    const fromMs = Math.max(range.fromMs, toMs - context.adapter.rowsPerPageMax * stepMs);
    const rows = await fetchRows(context, series, { fromMs, toMs });
    if (rows === null) return 'unknown';
    const first = rows.find((row) => row.openTimeMs % stepMs === 0);
    if (first !== undefined) found = first;
    toMs = first?.openTimeMs ?? fromMs;
  }
  return found;
}

/** Rows of a page; null when it could not be fetched. */
async function fetchRows(
  context: QueryContext,
  series: Series,
  range: TimeRange,
): Promise<readonly DeliveredRow[] | null> {
  const page = { series, range };
  const result = await queryExchange(context, {
    page,
    request: (origin, atMs) => context.adapter.candlesRequest(origin, page, atMs),
    read: (response, answeredAtMs) => context.adapter.readCandles(page, response, answeredAtMs),
  });
  return result.ok ? result.value : null;
}
