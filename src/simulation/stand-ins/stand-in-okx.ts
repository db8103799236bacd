import { intervalMs, type Interval } from '../../domain/interval.ts';
import type { TimeRange } from '../../domain/range.ts';
import { seenAt } from '../open-candle.ts';
import { jsonReply, type ResponseReply } from './reply.ts';
import { slidingMeter, type SlidingLimit } from './sliding-meter.ts';
import { standInVenue, type BreakRows, type StandInExchange, type StandInOptions } from './stand-in-exchange.ts';
import { tradedMarkets } from '../traded-volume.ts';
import type { CandleSource } from '../world.ts';

const RECENT = '/api/v5/market/candles';
const HISTORY = '/api/v5/market/history-candles';
const INSTRUMENTS = '/api/v5/public/instruments';
const TICKERS = '/api/v5/market/tickers';
const ROWS_DEFAULT = 100;
const ROWS_MAX = 300;
/** The recent path serves only this many bars. */
const RECENT_BARS = 1_440;
/** History lags by about this much. Unit: milliseconds. */
const HISTORY_LAG_MS = 60_000;
const BARS: ReadonlyMap<string, Interval> = new Map([
  ['1m', '1m'],
  ['5m', '5m'],
  ['15m', '15m'],
  ['1H', '1h'],
  ['4H', '4h'],
  ['1Dutc', '1d'],
]);

const refuse = (status: number, code: string, msg: string): ResponseReply => jsonReply(status, { code, msg, data: [] });

/** Requests allowed on each path within any window. */
export interface OkxLimits {
  readonly recent: SlidingLimit;
  readonly history: SlidingLimit;
}

const LIMITS: OkxLimits = { recent: { requests: 40, windowMs: 2_000 }, history: { requests: 20, windowMs: 2_000 } };

/**
 * OKX's public market data over recorded candles: newest first, `after` and `before` exclusive, nine texts per row with
 * `confirm`, the error code in the body, a flat row where there was no trade.
 */
export function standInOkx({
  world,
  plan,
  limits = LIMITS,
  rowsMax = ROWS_MAX,
}: StandInOptions & { readonly limits?: OkxLimits; readonly rowsMax?: number }): StandInExchange {
  const meters = new Map([
    [RECENT, slidingMeter(limits.recent)],
    [HISTORY, slidingMeter(limits.history)],
    [INSTRUMENTS, slidingMeter(LIMITS.history)],
    [TICKERS, slidingMeter(LIMITS.history)],
  ]);
  return standInVenue(
    {
      errorBody: ({ status, venueCode, message }) => ({ code: venueCode ?? String(status), msg: message, data: [] }),
      weightOf: () => 1,
      charge: ({ path }, nowMs) => ({
        headers: {},
        refusal:
          meters.get(path)?.admits(nowMs) === false
            ? jsonReply(429, { msg: 'Too Many Requests', code: '50011' })
            : null,
      }),
      requestedCandles: ({ path, query }) =>
        path !== RECENT && path !== HISTORY
          ? null
          : {
              symbol: query.get('instId') ?? '',
              interval: BARS.get(query.get('bar') ?? '') ?? query.get('bar') ?? '',
              range: {
                fromMs: query.has('before') ? Number(query.get('before')) + 1 : 0,
                toMs: Number(query.get('after') ?? Infinity),
              },
            },
      response: ({ path, query }, at) => {
        switch (path) {
          case '/api/v5/public/time':
            return jsonReply(200, { code: '0', msg: '', data: [{ ts: String(at.nowMs) }] });
          case INSTRUMENTS:
            return jsonReply(200, { code: '0', msg: '', data: instruments(world) });
          case TICKERS:
            return jsonReply(200, {
              code: '0',
              msg: '',
              data: tradedMarkets(world, at.nowMs).map(({ venueSymbol, quoteVolume }) => ({
                instType: 'SPOT',
                instId: venueSymbol,
                volCcy24h: quoteVolume.toFixed(8),
              })),
            });
          case RECENT:
          case HISTORY:
            return candles(world, { path, query, rowsMax, ...at });
          default:
            return refuse(404, '404', 'Not Found');
        }
      },
    },
    plan,
  );
}

const instruments = (world: CandleSource): unknown =>
  [...new Map(world.series.map((series) => [series.venueSymbol, series]))].map(([instId, series]) => {
    const [baseCcy, quoteCcy] = series.symbol.split('/');
    const [first] = world.select(series, { fromMs: 0, toMs: Infinity, rowsMax: 1, keep: 'oldest' });
    return { instType: 'SPOT', instId, baseCcy, quoteCcy, state: 'live', listTime: String(first?.[0] ?? 0) };
  });

interface OkxQuery {
  readonly path: typeof RECENT | typeof HISTORY;
  readonly query: URLSearchParams;
  readonly rowsMax: number;
  readonly nowMs: number;
  readonly breakRows: BreakRows;
}

function candles(world: CandleSource, { path, query, rowsMax, nowMs, breakRows }: OkxQuery): ResponseReply {
  const symbol = query.get('instId') ?? '';
  if (!world.series.some((series) => series.venueSymbol === symbol))
    return refuse(200, '51001', "Instrument ID doesn't exist.");
  const interval = BARS.get(query.get('bar') ?? '1m');
  if (interval === undefined) return refuse(200, '51000', 'Parameter bar error');
  const bounds = (['after', 'before', 'limit'] as const).map((name) => query.get(name));
  if (bounds.some((text) => text !== null && !/^\d{1,16}$/.test(text))) return refuse(200, '51000', 'Parameter error');
  const [after, before, limit] = bounds.map((text) => (text === null ? null : Number(text)));
  const known = knownRange(path, { stepMs: intervalMs(interval), nowMs });
  const isContradiction = after !== null && before !== null && (after ?? 0) <= (before ?? 0); // silently ignored
  const requested = isContradiction
    ? known
    : { fromMs: Math.max(known.fromMs, (before ?? -Infinity) + 1), toMs: Math.min(known.toMs, after ?? Infinity) };
  const rows = world.select(
    { venueSymbol: symbol, interval },
    { ...requested, rowsMax: Math.min(limit ?? ROWS_DEFAULT, rowsMax), keep: 'newest' },
  );
  return jsonReply(200, {
    code: '0',
    msg: '',
    data: breakRows(seenAt(rows, nowMs).toReversed()).map((row) => wireRow(row, interval, nowMs)),
  });
}

/** Open times that a path serves. */
const knownRange = (
  path: OkxQuery['path'],
  { stepMs, nowMs }: { readonly stepMs: number; readonly nowMs: number },
): TimeRange =>
  path === RECENT
    ? { fromMs: nowMs - RECENT_BARS * stepMs + 1, toMs: nowMs + 1 }
    : { fromMs: -Infinity, toMs: nowMs - stepMs - HISTORY_LAG_MS + 1 };

function wireRow(row: readonly unknown[], interval: Interval, nowMs: number): unknown[] {
  const [time, open, high, low, close, volume, , quoteVolume] = row;
  const isClosed = Number(time) + intervalMs(interval) <= nowMs;
  return [textOf(time), open, high, low, close, volume, quoteVolume, quoteVolume, isClosed ? '1' : '0'];
}

const textOf = (value: unknown): unknown => (typeof value === 'number' ? String(value) : value);
