import { isInterval } from '../../domain/interval.ts';
import type { CandleSource } from '../world.ts';
import { seenAt } from '../open-candle.ts';
import { jsonReply, textReply, type ResponseReply } from './reply.ts';
import { standInVenue, type BreakRows, type StandInExchange, type StandInOptions } from './stand-in-exchange.ts';
import { tradedMarkets } from '../traded-volume.ts';
import { binanceError, weightMeter, type WeightLimit } from './weight-meter.ts';

const ROWS_DEFAULT = 500;
const ROWS_MAX = 1_000;
const KLINES = '/api/v3/klines';
const WEIGHTS: Readonly<Record<string, number>> = {
  '/api/v3/ping': 1,
  '/api/v3/time': 1,
  '/api/v3/exchangeInfo': 20,
  [KLINES]: 2,
  '/api/v3/ticker/24hr': 80,
};

/** Binance spot's public market data over recorded candles. Source: its documentation and recorded responses. */
export function standInBinance({
  world,
  plan,
  limit = { weight: 6_000, windowMs: 60_000 },
}: StandInOptions & { readonly limit?: WeightLimit }): StandInExchange {
  const meter = weightMeter(limit);
  const { interval, intervalNum } = windowFields(limit.windowMs);
  const usedHeader = `x-mbx-used-weight-${intervalNum}${interval.charAt(0).toLowerCase()}`;
  return standInVenue(
    {
      errorBody: binanceError,
      weightOf: (path) => WEIGHTS[path] ?? 1,
      charge: (request, nowMs) => {
        const { used, refusal } = meter.charge(request, nowMs);
        return { headers: { 'x-mbx-used-weight': String(used), [usedHeader]: String(used) }, refusal };
      },
      requestedCandles: ({ path, query }) =>
        path !== KLINES
          ? null
          : {
              symbol: query.get('symbol') ?? '',
              interval: query.get('interval') ?? '',
              range: {
                fromMs: Number(query.get('startTime') ?? 0),
                toMs: query.has('endTime') ? Number(query.get('endTime')) + 1 : Infinity,
              },
            },
      response: ({ path, query }, { nowMs, breakRows }) => {
        switch (path) {
          case '/api/v3/ping':
            return jsonReply(200, {});
          case '/api/v3/time':
            return jsonReply(200, { serverTime: nowMs });
          case '/api/v3/exchangeInfo':
            return jsonReply(200, exchangeInfo(world, { nowMs, limit }));
          case '/api/v3/ticker/24hr':
            return jsonReply(
              200,
              tradedMarkets(world, nowMs).map(({ venueSymbol, quoteVolume }) => ({
                symbol: venueSymbol,
                quoteVolume: quoteVolume.toFixed(8),
              })),
            );
          case KLINES:
            return klines(world, query, { nowMs, breakRows });
          default:
            return textReply(404, '<html><body><h1>404 Not Found</h1></body></html>');
        }
      },
    },
    plan,
  );
}

function exchangeInfo(
  world: CandleSource,
  { nowMs, limit }: { readonly nowMs: number; readonly limit: WeightLimit },
): unknown {
  const bySymbol = new Map(world.series.map((series) => [series.venueSymbol, series.symbol]));
  return {
    timezone: 'UTC',
    serverTime: nowMs,
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', ...windowFields(limit.windowMs), limit: limit.weight },
      { rateLimitType: 'RAW_REQUESTS', interval: 'MINUTE', intervalNum: 5, limit: 61_000 },
    ],
    exchangeFilters: [],
    symbols: [...bySymbol].map(([symbol, canonical]) => {
      const [baseAsset, quoteAsset] = canonical.split('/');
      return { symbol, status: 'TRADING', baseAsset, quoteAsset };
    }),
  };
}

const windowFields = (windowMs: number): { interval: string; intervalNum: number } =>
  windowMs % 60_000 === 0
    ? { interval: 'MINUTE', intervalNum: windowMs / 60_000 }
    : { interval: 'SECOND', intervalNum: windowMs / 1_000 };

const refuse = (code: number, msg: string): ResponseReply => jsonReply(400, { code, msg });

function klines(
  world: CandleSource,
  query: URLSearchParams,
  { nowMs, breakRows }: { readonly nowMs: number; readonly breakRows: BreakRows },
): ResponseReply {
  const [symbol, interval] = [query.get('symbol'), query.get('interval')];
  if (symbol === null) return refuse(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.");
  if (interval === null)
    return refuse(-1102, "Mandatory parameter 'interval' was not sent, was empty/null, or malformed.");
  if (!isInterval(interval)) return refuse(-1120, 'Invalid interval.');
  if (!world.series.some((series) => series.venueSymbol === symbol)) return refuse(-1121, 'Invalid symbol.');
  const numbers = (['startTime', 'endTime', 'limit'] as const).map((name) => [name, query.get(name)] as const);
  const illegal = numbers.find(([, text]) => text !== null && !/^\d{1,16}$/.test(text));
  if (illegal)
    return refuse(-1100, `Illegal characters found in parameter '${illegal[0]}'; legal range is '^[0-9]{1,20}$'.`);
  const [startMs = null, endMs = null, limit = null] = numbers.map(([, text]) => (text === null ? null : Number(text)));
  // Both bounds are inclusive; the start is rounded up to an open time, the end down. The open candle is served too.
  const rows = world.select(
    { venueSymbol: symbol, interval },
    {
      fromMs: startMs ?? 0,
      toMs: Math.min(endMs ?? Infinity, nowMs) + 1,
      rowsMax: Math.min(limit ?? ROWS_DEFAULT, ROWS_MAX),
      keep: startMs === null ? 'newest' : 'oldest',
    },
  );
  return jsonReply(200, breakRows(seenAt(rows, nowMs)));
}
