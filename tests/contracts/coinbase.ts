import { symbolPath } from '../../src/market/symbol.ts';
import { coinbase } from '../../src/data/exchanges/coinbase/adapter.ts';
import { standInOf, type Refusal, type VenueCase } from './venue-case.ts';

/** Error bodies: ccxt issue 9268, freqtrade issue 4796, coinbase-advanced-py issue 60, ccxt 4.5.84 exception maps. */
const refusals: readonly Refusal[] = [
  { says: 'an unknown product', status: 404, body: { message: 'NotFound' }, code: 'SYMBOL_INVALID' },
  { says: 'an unknown product, the other way', status: 404, body: { errors: [{ id: 'not_found', message: 'Not found' }] }, code: 'SYMBOL_INVALID' },
  { says: 'an unknown route', status: 404, body: { message: 'Route not found' }, code: 'NOT_FOUND' },
  { says: 'an unknown path at a proxy', status: 404, body: '<html></html>', code: 'REQUEST_REJECTED' },
  { says: 'a range of more than 300', status: 400, body: { message: 'granularity too small for the requested time range. Count of aggregations requested exceeds 300' }, code: 'REQUEST_REJECTED' },
  { says: 'a range of more than 300, the other way', status: 400, body: { message: 'number of candles requested should be less than 300' }, code: 'REQUEST_REJECTED' },
  { says: 'an invalid request', status: 400, body: { errors: [{ id: 'invalid_request', message: 'granularity' }] }, code: 'REQUEST_REJECTED' },
  { says: 'a missing parameter', status: 400, body: { errors: [{ id: 'param_required', message: 'start' }] }, code: 'REQUEST_REJECTED' },
  { says: 'the private limit', status: 429, body: { message: 'Private rate limit exceeded' }, code: 'EXCHANGE_RATE_LIMITED' },
  { says: 'throttling with a JSON body', status: 401, body: { message: 'Unauthorized.' }, headers: { 'retry-after': '600' }, code: 'EXCHANGE_RATE_LIMITED', waitMs: 600_000 },
  { says: 'a refused region', status: 451, body: '', code: 'FORBIDDEN' },
  { says: 'maintenance with a 400', status: 400, body: { message: 'The exchange is under maintenance' }, code: 'EXCHANGE_MAINTENANCE' },
  { says: 'an invalid argument', status: 400, body: { error: 'INVALID_ARGUMENT', error_details: 'start', message: 'start is invalid' }, code: 'REQUEST_REJECTED' },
  { says: 'the public limit', status: 429, body: { message: 'Public rate limit exceeded' }, code: 'EXCHANGE_RATE_LIMITED' },
  { says: 'a slow limit with another status', status: 400, body: { message: 'Slow rate limit exceeded' }, code: 'EXCHANGE_RATE_LIMITED' },
  { says: 'a limit told by id', status: 429, body: { errors: [{ id: 'rate_limit_exceeded', message: 'Too many requests' }] }, code: 'EXCHANGE_RATE_LIMITED' },
  { says: 'exhausted resources', status: 400, body: { error: 'resource_exhausted', message: 'slow down' }, code: 'EXCHANGE_RATE_LIMITED' },
  { says: 'throttling in the shape of a missing key', status: 401, body: 'Unauthorized', code: 'EXCHANGE_RATE_LIMITED', waitMs: 300_000 },
  { says: 'a product of its own permission', status: 403, body: { error: 'PERMISSION_DENIED', message: 'Trading pair not available' }, code: 'NOT_FOUND' },
  { says: 'a missing scope', status: 403, body: { errors: [{ id: 'invalid_scope', message: 'scope' }] }, code: 'NOT_FOUND' },
  { says: 'the firewall', status: 403, body: '<html><title>Attention Required! | Cloudflare</title></html>', code: 'FORBIDDEN' },
  { says: 'maintenance', status: 503, body: { message: 'We are currently under maintenance.' }, code: 'EXCHANGE_MAINTENANCE' },
  { says: 'cancel only', status: 400, body: { message: 'Cancel only mode' }, code: 'EXCHANGE_MAINTENANCE' },
  { says: 'an error of theirs', status: 500, body: { errors: [{ id: 'internal_server_error', message: 'Something went wrong' }] }, code: 'EXCHANGE_SERVER_ERROR' },
];

export const coinbaseCase: VenueCase = {
  adapter: coinbase,
  origin: 'http://coinbase.test',
  standIn: standInOf('coinbase'),
  venueSymbol: symbolPath,
  timeUnitMs: 1_000,
  ownStatuses: { 401: 'EXCHANGE_RATE_LIMITED' },
  requests: {
    '1m': '/products/BTC-USDT/candles?granularity=60&start=2024-05-20T00:00:00.000Z&end=2024-05-20T00:01:00.000Z',
    '5m': '/products/BTC-USDT/candles?granularity=300&start=2024-05-20T00:00:00.000Z&end=2024-05-20T00:05:00.000Z',
    '15m': '/products/BTC-USDT/candles?granularity=900&start=2024-05-20T00:00:00.000Z&end=2024-05-20T00:15:00.000Z',
    '1h': '/products/BTC-USDT/candles?granularity=3600&start=2024-05-20T00:00:00.000Z&end=2024-05-20T01:00:00.000Z',
    '1d': '/products/BTC-USDT/candles?granularity=86400&start=2024-05-20T00:00:00.000Z&end=2024-05-21T00:00:00.000Z',
  },
  refusals,
  recorded: [{
    says: 'ten minutes, newest first, numbers (XChange, MIT)',
    page: { series: { exchange: 'coinbase', symbol: 'BTC/USD', interval: '1m' }, range: { fromMs: 1_517_443_200_000, toMs: 1_517_443_800_000 } },
    body: [
      [1517443740, 10106, 10120.21, 10106.01, 10120.21, 2.85107455], [1517443680, 10106.01, 10130, 10129.99, 10106.01, 4.727521520000001], [1517443620, 10127.89, 10157, 10156.99, 10130, 1.0367627400000001],
      [1517443560, 10156.99, 10157, 10156.99, 10156.99, 2.2357688599999963], [1517443500, 10149.91, 10166.25, 10149.91, 10156.99, 6.6482725600000006], [1517443440, 10099.99, 10149.91, 10099.99, 10149.91, 9.32733184],
      [1517443380, 10098.99, 10099.99, 10099, 10099.98, 16.057411940000005], [1517443320, 10069.47, 10098.55, 10069.47, 10098.55, 2.9152506999999996], [1517443260, 10069.46, 10099.99, 10099.98, 10069.47, 5.56541081],
      [1517443200, 10099.98, 10099.99, 10099.99, 10099.98, 1.87868123],
    ],
    rows: 10,
    first: { openTimeMs: 1_517_443_200_000, open: 10099.99, high: 10099.99, low: 10099.98, close: 10099.98, volume: 1.87868123 },
  }],
  ranking: null,
  listing: {
    body: [
      { id: 'BTC-USD', base_currency: 'BTC', quote_currency: 'USD', status: 'online', trading_disabled: false, alias: '', alias_to: ['BTC-USDC'] },
      { id: 'BTC-USDC', base_currency: 'BTC', quote_currency: 'USDC', status: 'online', trading_disabled: false, alias: 'BTC-USD', alias_to: [] },
      { id: 'REP-USD', base_currency: 'REP', quote_currency: 'USD', status: 'delisted', trading_disabled: true },
    ],
    symbols: ['BTC/USD', 'BTC/USDC', 'REP/USD'],
    notTrading: ['REP/USD'],
    aliases: ['BTC/USDC'],
    limits: [],
  },
};
