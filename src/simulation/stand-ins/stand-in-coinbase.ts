import { intervalMs, INTERVALS, type Interval } from '../../domain/interval.ts';
import { bucketMeter, type BucketLimit } from './bucket-meter.ts';
import { seenAt } from '../open-candle.ts';
import { jsonReply, type ResponseReply } from './reply.ts';
import { standInVenue, type BreakRows, type StandInExchange, type StandInOptions } from './stand-in-exchange.ts';
import type { CandleSource } from '../world.ts';

const ROWS_MAX = 300;
/** Candle lengths in seconds; there is no 4h. */
const GRANULARITIES: ReadonlyMap<string, Interval> = new Map(
  INTERVALS.filter((interval) => interval !== '4h').map((interval) => [String(intervalMs(interval) / 1_000), interval]),
);
const CANDLES = /^\/products\/([^/]+)\/candles$/;

const refuse = (status: number, message: string): ResponseReply => jsonReply(status, { message });

/**
 * Coinbase Exchange's public market data over recorded candles: newest first, both bounds inclusive,
 * `[time s, low, high, open, close, volume]`, candles without trades omitted, errors as `{message}`.
 */
export function standInCoinbase({
  world,
  plan,
  limit = { requests: 10, windowMs: 1_000 },
}: StandInOptions & { readonly limit?: BucketLimit }): StandInExchange {
  const meter = bucketMeter(limit);
  return standInVenue(
    {
      errorBody: ({ venueCode, message }) => ({ message: venueCode ?? message }),
      ownStatuses: { 401: 'EXCHANGE_RATE_LIMITED' },
      weightOf: () => 1,
      charge: (_request, nowMs) => ({
        headers: {},
        refusal: meter.admits(nowMs) ? null : refuse(429, 'Public rate limit exceeded'),
      }),
      requestedCandles: ({ path, query }) => {
        const symbol = CANDLES.exec(path)?.[1];
        const granularity = query.get('granularity') ?? '';
        if (symbol === undefined) return null;
        const [fromMs, lastMs] = [Date.parse(query.get('start') ?? ''), Date.parse(query.get('end') ?? '')];
        return {
          symbol,
          interval: GRANULARITIES.get(granularity) ?? granularity,
          range: { fromMs: Number.isNaN(fromMs) ? 0 : fromMs, toMs: Number.isNaN(lastMs) ? Infinity : lastMs + 1 },
        };
      },
      response: ({ path, query }, at) => {
        if (path === '/time') return jsonReply(200, { iso: new Date(at.nowMs).toISOString(), epoch: at.nowMs / 1_000 });
        if (path === '/products') return jsonReply(200, products(world));
        const symbol = CANDLES.exec(path)?.[1];
        return symbol === undefined ? refuse(404, 'Route not found') : candles(world, { symbol, query, ...at });
      },
    },
    plan,
  );
}

const products = (world: CandleSource): unknown =>
  [...new Map(world.series.map((series) => [series.venueSymbol, series.symbol]))].map(([id, symbol]) => {
    const [base_currency, quote_currency] = symbol.split('/');
    return {
      id,
      base_currency,
      quote_currency,
      display_name: symbol,
      status: 'online',
      trading_disabled: false,
      cancel_only: false,
      view_only: false,
    };
  });

interface CoinbaseQuery {
  readonly symbol: string;
  readonly query: URLSearchParams;
  readonly nowMs: number;
  readonly breakRows: BreakRows;
}

function candles(world: CandleSource, { symbol, query, nowMs, breakRows }: CoinbaseQuery): ResponseReply {
  if (!world.series.some((series) => series.venueSymbol === symbol)) return refuse(404, 'NotFound');
  const interval = GRANULARITIES.get(query.get('granularity') ?? '60');
  if (interval === undefined) return refuse(400, 'Unsupported granularity');
  const stepMs = intervalMs(interval);
  const [start, end] = [query.get('start'), query.get('end')];
  if ((start === null) !== (end === null)) return refuse(400, 'start and end must be sent together');
  const toMs = end === null ? nowMs : Date.parse(end);
  const fromMs = start === null ? toMs - (ROWS_MAX - 1) * stepMs : Date.parse(start);
  if (Number.isNaN(fromMs) || Number.isNaN(toMs)) return refuse(400, 'start and end must be ISO 8601 times');
  if ((toMs - fromMs) / stepMs > ROWS_MAX)
    return refuse(
      400,
      `granularity too small for the requested time range. Count of aggregations requested exceeds ${ROWS_MAX}`,
    );
  const inRange = world.select(
    { venueSymbol: symbol, interval },
    { fromMs, toMs: toMs + 1, rowsMax: Infinity, keep: 'newest' },
  );
  const rows = seenAt(inRange, nowMs).filter((row) => Number(row[5]) > 0);
  return jsonReply(
    200,
    breakRows(rows.slice(-ROWS_MAX).toReversed()).map(([time, open, high, low, close, volume]) => [
      Number(time) / 1_000,
      ...[low, high, open, close, volume].map(numberOf),
    ]),
  );
}

/** Numeric text as a JSON number; other values unchanged. */
const numberOf = (value: unknown): unknown =>
  typeof value === 'string' && Number.isFinite(Number(value)) ? Number(value) : value;
