import { symbolPath } from '../../src/domain/symbol.ts';
import type { VenueCase } from '../contracts/exchange-case.ts';
import { tidewater } from './adapter.ts';
import { standInTidewater } from './stand-in.ts';

export const tidewaterCase: VenueCase = {
  adapter: tidewater,
  origin: 'http://tidewater.test',
  standIn: standInTidewater,
  venueSymbol: (symbol) => symbolPath(symbol).toLowerCase(),
  timeUnitMs: 60_000,
  requests: {
    '1m': '/v1/bars/btc-usdt?minutes=1&since=28602720&until=28602722',
    '5m': '/v1/bars/btc-usdt?minutes=5&since=28602720&until=28602730',
    '15m': '/v1/bars/btc-usdt?minutes=15&since=28602720&until=28602750',
    '1h': '/v1/bars/btc-usdt?minutes=60&since=28602720&until=28602840',
    '1d': '/v1/bars/btc-usdt?minutes=1440&since=28602720&until=28605600',
  },
  refusals: [
    {
      says: 'an unknown market',
      status: 200,
      body: { ok: false, error: 'no_such_market' },
      isCoded: true,
      code: 'SYMBOL_INVALID',
    },
    {
      says: 'the limit',
      status: 200,
      body: { ok: false, error: 'slow_down' },
      isCoded: true,
      code: 'EXCHANGE_RATE_LIMITED',
    },
    {
      says: 'maintenance',
      status: 200,
      body: { ok: false, error: 'closed_for_repairs' },
      isCoded: true,
      code: 'EXCHANGE_MAINTENANCE',
    },
    {
      says: 'an internal error',
      status: 200,
      body: { ok: false, error: 'oops' },
      isCoded: true,
      code: 'EXCHANGE_SERVER_ERROR',
    },
    { says: 'a success without bars', status: 200, body: { ok: true, result: {} }, code: 'SCHEMA_MISMATCH' },
    { says: 'bars without success', status: 200, body: { result: { bars: [] } }, code: 'SCHEMA_MISMATCH' },
  ],
  recorded: [
    {
      says: 'two minutes (made up, like the exchange)',
      page: {
        series: { exchange: 'tidewater', symbol: 'BTC/USDT', interval: '1m' },
        range: { fromMs: 1_717_242_900_000, toMs: 1_717_243_020_000 },
      },
      body: {
        ok: true,
        result: {
          bars: [
            { at: 28_620_715, o: '67806', h: '67820.5', l: '67783.1', c: '67806.1', v: '7.16404', n: 12, done: true },
            { at: 28_620_716, o: '67806.1', h: '67820.4', l: '67800.1', c: '67811.2', v: '1.52', n: 3, done: true },
          ],
        },
      },
      rows: 2,
      first: {
        openTimeMs: 1_717_242_900_000,
        open: 67806,
        high: 67820.5,
        low: 67783.1,
        close: 67806.1,
        volume: 7.16404,
      },
    },
  ],
  ranking: null,
  listing: {
    body: {
      ok: true,
      result: {
        markets: [
          { name: 'btc-usdt', base: 'BTC', quote: 'USDT', open: true },
          { name: 'old-usdt', base: 'OLD', quote: 'USDT', open: false },
        ],
      },
    },
    symbols: ['BTC/USDT', 'OLD/USDT'],
    notTrading: ['OLD/USDT'],
    aliases: [],
    limits: [],
  },
};
