import { symbolJoined } from '../../src/domain/symbol.ts';
import { binance } from '../../src/exchanges/binance/adapter.ts';
import { standInOf, type Refusal, type VenueCase } from './exchange-case.ts';

const coded = (status: number, codes: readonly number[], code: Refusal['code'], waitMs?: number): Refusal[] =>
  codes.map((stated) => ({
    says: `code ${stated}`,
    status,
    body: { code: stated, msg: 'text' },
    isCoded: true,
    code,
    ...(waitMs === undefined ? {} : { waitMs }),
  }));

const BANNED =
  'Way too much request weight used; IP banned until 1717243290000. ' +
  'Please use the websocket for live updates to avoid bans.';

/** Sources: public logs (ccxt issues 14639 and 16044, php-binance-api issue 260), binance-spot-api-docs, errors.md. */
const refusals: readonly Refusal[] = [
  {
    says: 'a ban with its end',
    status: 418,
    body: { code: -1003, msg: BANNED },
    headers: { 'retry-after': '80' },
    code: 'EXCHANGE_IP_BANNED',
    waitMs: 90_000,
  },
  {
    says: 'a ban whose Retry-After is later',
    status: 418,
    body: { code: -1003, msg: BANNED },
    headers: { 'retry-after': '120' },
    code: 'EXCHANGE_IP_BANNED',
    waitMs: 120_000,
  },
  {
    says: 'a ban with a 429',
    status: 429,
    body: { code: -1003, msg: 'Way too many requests; IP banned until 1717243290000.' },
    code: 'EXCHANGE_IP_BANNED',
    waitMs: 90_000,
  },
  {
    says: 'too many requests queued',
    status: 429,
    body: { code: -1003, msg: 'Too many requests queued.' },
    code: 'EXCHANGE_RATE_LIMITED',
  },
  { says: 'an error in a 200', status: 200, body: { code: -1121, msg: 'Invalid symbol.' }, code: 'SYMBOL_INVALID' },
  { says: 'code 0 in a 200', status: 200, body: { code: 0, msg: '' }, code: 'SCHEMA_MISMATCH' },
  {
    says: 'CloudFront',
    status: 502,
    body: '<HTML><TITLE>ERROR: The request could not be satisfied</TITLE></HTML>',
    code: 'EXCHANGE_SERVER_ERROR',
  },
  {
    says: 'too much weight',
    status: 429,
    body: { code: -1003, msg: 'Too much request weight used; current limit is 1200 request weight per 1 MINUTE.' },
    headers: { 'retry-after': '7' },
    code: 'EXCHANGE_RATE_LIMITED',
    waitMs: 7_000,
  },
  {
    says: 'a restricted region, code 0 over several lines',
    status: 451,
    body:
      '{\n  "code": 0,\n' +
      '  "msg": "Service unavailable from a restricted location according to \'b. Eligibility\'."\n}',
    code: 'FORBIDDEN',
  },
  {
    says: 'the firewall',
    status: 403,
    body: '<html><head><title>403 Forbidden</title></head></html>',
    code: 'FORBIDDEN',
  },
  {
    says: 'an unknown symbol',
    status: 400,
    body: '{\n    "code": -1121,\n    "msg": "Invalid symbol."\n}',
    code: 'SYMBOL_INVALID',
  },
  { says: 'an unknown path', status: 404, body: '<html><body>404</body></html>', code: 'REQUEST_REJECTED' },
  { says: 'maintenance in a 503', status: 503, body: 'System maintenance', code: 'EXCHANGE_MAINTENANCE' },
  { says: 'overload', status: 503, body: '', code: 'EXCHANGE_SERVER_ERROR' },
  ...coded(
    400,
    [-1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1111, -1120, -1127, -1128, -1130, -1135, -1151, -1220],
    'REQUEST_REJECTED',
  ),
  ...coded(500, [-1000, -1001, -1004, -1006], 'EXCHANGE_SERVER_ERROR'),
  ...coded(500, [-1008], 'EXCHANGE_SERVER_ERROR', 60_000),
  ...coded(504, [-1007], 'REQUEST_TIMEOUT'),
  ...coded(400, [-1015], 'EXCHANGE_RATE_LIMITED'),
  ...coded(500, [-1016], 'EXCHANGE_MAINTENANCE'),
  ...coded(401, [-1002, -2014, -2015, -1022, -1021], 'UNAUTHORIZED'),
];

export const binanceCase: VenueCase = {
  adapter: binance,
  origin: 'http://binance.test',
  standIn: standInOf('binance'),
  venueSymbol: symbolJoined,
  timeUnitMs: 1,
  requests: {
    '1m': '/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=1716163200000&endTime=1716163319999&limit=1000',
    '5m': '/api/v3/klines?symbol=BTCUSDT&interval=5m&startTime=1716163200000&endTime=1716163799999&limit=1000',
    '15m': '/api/v3/klines?symbol=BTCUSDT&interval=15m&startTime=1716163200000&endTime=1716164999999&limit=1000',
    '1h': '/api/v3/klines?symbol=BTCUSDT&interval=1h&startTime=1716163200000&endTime=1716170399999&limit=1000',
    '4h': '/api/v3/klines?symbol=BTCUSDT&interval=4h&startTime=1716163200000&endTime=1716191999999&limit=1000',
    '1d': '/api/v3/klines?symbol=BTCUSDT&interval=1d&startTime=1716163200000&endTime=1716335999999&limit=1000',
  },
  refusals,
  recorded: [
    {
      says: 'a start 28 s into a minute: the first row is the next minute (gocryptotrader, MIT)',
      page: {
        series: { exchange: 'binance', symbol: 'BTC/USDT', interval: '1m' },
        range: { fromMs: 1_588_740_120_000, toMs: 1_588_740_240_000 },
      },
      body: [
        [
          1588740120000,
          '9033.34000000',
          '9039.99000000',
          '9032.75000000',
          '9033.15000000',
          '31.19296800',
          1588740179999,
          '281893.08800082',
          282,
          '6.35810300',
          '57447.26912415',
          '0',
        ],
        [
          1588740180000,
          '9033.15000000',
          '9035.00000000',
          '9012.00000000',
          '9012.00000000',
          '135.21584100',
          1588740239999,
          '1220631.05800100',
          864,
          '31.88240800',
          '287831.95256737',
          '0',
        ],
      ],
      rows: 2,
      first: {
        openTimeMs: 1_588_740_120_000,
        open: 9033.34,
        high: 9039.99,
        low: 9032.75,
        close: 9033.15,
        volume: 31.192968,
      },
    },
  ],
  ranking: {
    body: [
      {
        symbol: 'BNBBTC',
        lastPrice: '4.00000200',
        volume: '8913.30000000',
        quoteVolume: '15.30000000',
        openTime: 1499783499040,
        closeTime: 1499869899040,
        count: 76,
      },
      { symbol: 'ETHBTC', quoteVolume: '0' },
      { symbol: 'XRPBTC', quoteVolume: null },
      'noise',
    ],
    volumes: { BNBBTC: 15.3, ETHBTC: 0 },
  },
  listing: {
    body: {
      rateLimits: [
        { interval: 'MINUTE', intervalNum: 1, limit: 6000, rateLimitType: 'REQUEST_WEIGHT' },
        { interval: 'DAY', intervalNum: 1, limit: 200000, rateLimitType: 'ORDERS' },
        { interval: 'MINUTE', intervalNum: 5, limit: 61000, rateLimitType: 'RAW_REQUESTS' },
        { interval: 'MINUTE', intervalNum: 0, limit: 1, rateLimitType: 'REQUEST_WEIGHT' },
        { interval: 'constructor', intervalNum: 1, limit: 1, rateLimitType: 'REQUEST_WEIGHT' },
      ],
      symbols: [
        { symbol: 'ETHBTC', status: 'TRADING', baseAsset: 'ETH', quoteAsset: 'BTC' },
        { symbol: 'BCCBTC', status: 'BREAK', baseAsset: 'BCC', quoteAsset: 'BTC' },
      ],
    },
    symbols: ['ETH/BTC', 'BCC/BTC'],
    notTrading: ['BCC/BTC'],
    aliases: [],
    limits: [
      { name: 'REQUEST_WEIGHT', limit: 6_000, windowMs: 60_000, shape: 'aligned', counts: 'weight' },
      { name: 'RAW_REQUESTS', limit: 61_000, windowMs: 300_000, shape: 'aligned', counts: 'requests' },
    ],
  },
};
