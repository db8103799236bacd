import { symbolPath } from '../../src/domain/symbol.ts';
import { okx } from '../../src/exchanges/okx/adapter.ts';
import { standInOf, type Refusal, type VenueCase } from './exchange-case.ts';

/** OKX states its codes with HTTP 200 as well as with 4xx and 5xx. */
const coded = (codes: readonly (string | number)[], code: Refusal['code'], waitMs?: number): Refusal[] =>
  codes.flatMap((stated) =>
    [200, 400].map((status) => ({
      says: `code ${stated} with ${status}`,
      status,
      body: { code: stated, msg: 'text', data: [] },
      isCoded: true,
      code,
      ...(waitMs === undefined ? {} : { waitMs }),
    })),
  );

/** Error bodies: ccxt issue 9612, bbgo pull 1534, okx-api issue 105, and OKX's own list of codes. */
const refusals: readonly Refusal[] = [
  {
    says: 'too many requests, the log cut off',
    status: 429,
    body: '{"msg":"Too Many Requests","code":"50011"',
    code: 'EXCHANGE_RATE_LIMITED',
    waitMs: 2_000,
  },
  {
    says: 'too many requests without data',
    status: 429,
    body: { msg: 'Too Many Requests', code: '50011' },
    code: 'EXCHANGE_RATE_LIMITED',
    waitMs: 2_000,
  },
  {
    says: 'too many requests in plain text',
    status: 429,
    body: 'Too Many Requests',
    code: 'EXCHANGE_RATE_LIMITED',
    waitMs: 2_000,
  },
  { says: 'Cloudflare without a handshake', status: 525, body: '<html>525</html>', code: 'EXCHANGE_SERVER_ERROR' },
  {
    says: 'a numeric code',
    status: 200,
    body: { code: 500, data: {}, error_code: '500', error_message: 'Internal Server Error' },
    code: 'EXCHANGE_SERVER_ERROR',
  },
  { says: 'a success without data', status: 200, body: { code: '0', msg: '' }, code: 'SCHEMA_MISMATCH' },
  { says: 'data without success', status: 200, body: { data: [] }, code: 'SCHEMA_MISMATCH' },
  { says: 'the number 0', status: 200, body: { code: 0, msg: '', data: [] }, code: 'SCHEMA_MISMATCH' },
  { says: 'an unknown code', status: 200, body: { code: '99999', msg: '', data: [] }, code: 'SCHEMA_MISMATCH' },
  {
    says: 'a code of the first entry',
    status: 200,
    body: { code: '1', msg: '', data: [{ sCode: '51001', sMsg: "Instrument ID doesn't exist." }] },
    code: 'SYMBOL_INVALID',
  },
  {
    says: 'a wrong parameter in lower case bars',
    status: 200,
    body: { code: '51000', data: [], msg: 'Parameter bar error' },
    code: 'REQUEST_REJECTED',
  },
  { says: 'an error without a code', status: 400, body: { msg: 'Bad Request' }, code: 'REQUEST_REJECTED' },
  {
    says: 'an overload without a code',
    status: 503,
    body: { msg: 'Service Unavailable' },
    code: 'EXCHANGE_SERVER_ERROR',
  },
  { says: 'a refused region', status: 451, body: '<html></html>', code: 'FORBIDDEN' },
  ...coded(['51001'], 'SYMBOL_INVALID'),
  ...coded(['51000', '50002', '50006', '50014', '50015', '50016', '50024', '50025', '50115'], 'REQUEST_REJECTED'),
  ...coded(['50011', '50061'], 'EXCHANGE_RATE_LIMITED', 2_000),
  ...coded(['50001'], 'EXCHANGE_MAINTENANCE'),
  ...coded(['50005', '50013', '50026', '1', 500], 'EXCHANGE_SERVER_ERROR'),
  ...coded(['50004'], 'REQUEST_TIMEOUT'),
  ...coded(
    Array.from({ length: 15 }, (_, at) => String(50_100 + at)),
    'UNAUTHORIZED',
  ),
  ...coded(['51155', '50027', '4088'], 'FORBIDDEN'),
  ...coded(['51021', '51024'], 'NOT_FOUND'),
];

export const okxCase: VenueCase = {
  adapter: okx,
  origin: 'http://okx.test',
  standIn: standInOf('okx'),
  venueSymbol: symbolPath,
  timeUnitMs: 1,
  requests: {
    '1m': '/api/v5/market/history-candles?instId=BTC-USDT&bar=1m&after=1716163320000&before=1716163199999&limit=300',
    '5m': '/api/v5/market/history-candles?instId=BTC-USDT&bar=5m&after=1716163800000&before=1716163199999&limit=300',
    '15m': '/api/v5/market/candles?instId=BTC-USDT&bar=15m&after=1716165000000&before=1716163199999&limit=300',
    '1h': '/api/v5/market/candles?instId=BTC-USDT&bar=1H&after=1716170400000&before=1716163199999&limit=300',
    '4h': '/api/v5/market/candles?instId=BTC-USDT&bar=4H&after=1716192000000&before=1716163199999&limit=300',
    '1d': '/api/v5/market/candles?instId=BTC-USDT&bar=1Dutc&after=1716336000000&before=1716163199999&limit=300',
  },
  refusals,
  recorded: [
    {
      says: 'two confirmed minutes and an open one, newest first (values of the documented shape)',
      page: {
        series: { exchange: 'okx', symbol: 'BTC/USDT', interval: '1m' },
        range: { fromMs: 1_717_242_900_000, toMs: 1_717_243_080_000 },
      },
      body: {
        code: '0',
        msg: '',
        data: [
          ['1717243020000', '67811.2', '67820', '67811.2', '67819.9', '0.41', '27805.9', '27805.9', '0'],
          ['1717242960000', '67806.1', '67820.4', '67800.1', '67811.2', '1.52', '103080.4', '103080.4', '1'],
          ['1717242900000', '67806', '67820.5', '67783.1', '67806.1', '7.16404', '485764.2', '485764.2', '1'],
        ],
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
  ranking: {
    body: {
      code: '0',
      msg: '',
      data: [
        {
          instType: 'SPOT',
          instId: 'LTC-USDT',
          last: '9999.99',
          vol24h: '2222',
          volCcy24h: '22220000.5',
          ts: '1597026383085',
        },
        { instId: 'ETH-USDT', volCcy24h: '' },
        null,
      ],
    },
    volumes: { 'LTC-USDT': 22_220_000.5 },
  },
  listing: {
    body: {
      code: '0',
      msg: '',
      data: [
        { instId: 'BTC-USDT', baseCcy: 'BTC', quoteCcy: 'USDT', state: 'live', listTime: '1611907686000' },
        { instId: 'LUNA-USDT', baseCcy: 'LUNA', quoteCcy: 'USDT', state: 'suspend', listTime: '1611907686000' },
      ],
    },
    symbols: ['BTC/USDT', 'LUNA/USDT'],
    notTrading: ['LUNA/USDT'],
    aliases: [],
    limits: [],
  },
};
