import { expect, onTestFinished, test } from 'vitest';
import { realClock } from '../../platform/node/system-clock.ts';
import { undiciHttp } from '../../platform/node/undici-http.ts';
import { intervalMs, type Interval } from '../../domain/interval.ts';
import { translateTransport } from '../../exchanges/transport-errors.ts';
import type { FaultSpec } from '../fault-plan.ts';
import { generatedWorld } from '../generated-world.ts';
import { serveOnLoopback } from '../loopback.ts';
import type { ResponseReply } from './reply.ts';
import { standInBinance } from './stand-in-binance.ts';
import { standInCoinbase } from './stand-in-coinbase.ts';
import { standInOkx } from './stand-in-okx.ts';
import type { StandInExchange } from './stand-in-exchange.ts';

const YEAR_MS = Date.UTC(2019, 0, 1);
const NOW_MS = Date.UTC(2020, 0, 3);
const MINUTE_MS = 60_000;

const worldOf = (venueSymbol: string, interval: Interval, candles: number, fromMs: number) =>
  generatedWorld('stand-ins', [
    { symbol: 'BTC/USDT', venueSymbol, interval, range: { fromMs, toMs: fromMs + candles * intervalMs(interval) } },
  ]);

function request(
  venue: StandInExchange,
  path: string,
  nowMs = NOW_MS,
): { status: number; headers: ResponseReply['headers']; json: unknown } {
  const url = new URL(path, 'http://stand-in.test');
  const reply = venue.handle(
    { method: 'GET', path: url.pathname, query: url.searchParams, headers: {}, body: Buffer.alloc(0) },
    nowMs,
  ) as ResponseReply;
  return { status: reply.status, headers: reply.headers, json: JSON.parse(Buffer.from(reply.body).toString('utf8')) };
}
const rows = (response: { json: unknown }): (readonly unknown[])[] =>
  (Array.isArray(response.json) ? response.json : (response.json as { data: unknown }).data) as (readonly unknown[])[];
const times = (response: { json: unknown }): number[] => rows(response).map((row) => Number(row[0]));

test('binance: both bounds are inclusive; an end one second earlier drops the last day, as recorded', () => {
  const venue = standInBinance({ world: worldOf('BTCUSDT', '1d', 400, YEAR_MS) });
  const year = (endMs: number) =>
    times(request(venue, `/api/v3/klines?symbol=BTCUSDT&interval=1d&startTime=${YEAR_MS}&endTime=${endMs}`));
  expect(year(Date.UTC(2019, 11, 31, 23, 59, 59))).toHaveLength(365);
  expect(year(Date.UTC(2020, 0, 1))).toHaveLength(366);
});

test('binance: start equal to end is one candle, a start within a minute rounds up, at most 1,000', () => {
  const venue = standInBinance({ world: worldOf('BTCUSDT', '1m', 2_000, YEAR_MS) });
  const minutes = (query: string) => times(request(venue, `/api/v3/klines?symbol=BTCUSDT&interval=1m&${query}`));
  expect(minutes(`startTime=${YEAR_MS}&endTime=${YEAR_MS}`)).toEqual([YEAR_MS]);
  expect(minutes(`startTime=${YEAR_MS + 28_000}&endTime=${YEAR_MS + 10 * MINUTE_MS}`)[0]).toBe(YEAR_MS + MINUTE_MS);
  const thousand = minutes(`startTime=${YEAR_MS}&endTime=${YEAR_MS + 1_000 * MINUTE_MS}&limit=1000`);
  expect([thousand.length, thousand[0]]).toEqual([1_000, YEAR_MS]);
  expect(minutes(`startTime=${YEAR_MS}&limit=5000`)).toHaveLength(1_000);
  expect(minutes(`endTime=${YEAR_MS + 1_500 * MINUTE_MS}`).at(-1)).toBe(YEAR_MS + 1_500 * MINUTE_MS);
});

test('binance: 429 over the limit, then bans that double; every response has the used weight', () => {
  const venue = standInBinance({
    world: worldOf('BTCUSDT', '1m', 10, YEAR_MS),
    limit: { weight: 10, windowMs: MINUTE_MS },
  });
  const klines = (nowMs: number) => request(venue, '/api/v3/klines?symbol=BTCUSDT&interval=1m', nowMs);
  const responses = Array.from({ length: 17 }, () => klines(NOW_MS + 15_000));
  expect(responses.map(({ status }) => status)).toEqual([
    200, 200, 200, 200, 200, 429, 429, 429, 429, 429, 429, 429, 429, 429, 429, 418, 418,
  ]);
  expect(responses[0]?.headers['x-mbx-used-weight-1m']).toBe('2');
  expect(responses[5]?.headers['retry-after']).toBe('45');
  expect(responses[15]).toMatchObject({
    json: { code: -1003, msg: expect.stringContaining(`banned until ${NOW_MS + 135_000}`) },
  });
  expect(klines(NOW_MS + 134_999).status).toBe(418);
  expect(klines(NOW_MS + 135_000).status).toBe(200);
  expect(venue.log.filter((entry) => entry.sentWhileClosed).length).toBeGreaterThan(0);
});

test("binance: errors have the venue's codes", () => {
  const venue = standInBinance({ world: worldOf('BTCUSDT', '1m', 10, YEAR_MS) });
  const code = (query: string) => (request(venue, `/api/v3/klines?${query}`).json as { code: number }).code;
  expect([
    code('interval=1m'),
    code('symbol=NOPE&interval=1m'),
    code('symbol=BTCUSDT&interval=7m'),
    code('symbol=BTCUSDT&interval=1m&startTime=x'),
  ]).toEqual([-1102, -1121, -1120, -1100]);
});

test('binance: requests against an injected Retry-After are banned; the weight header names the window', () => {
  const plan = {
    seed: 'defiance',
    rules: [{ on: { nth: [1] }, fault: { kind: 'status', status: 429, retryAfter: '5' } }],
  } as const;
  const venue = standInBinance({
    world: worldOf('BTCUSDT', '1m', 10, YEAR_MS),
    plan,
    limit: { weight: 1_000, windowMs: 10_000 },
  });
  const klines = (afterMs: number) => request(venue, '/api/v3/klines?symbol=BTCUSDT&interval=1m', NOW_MS + afterMs);
  expect(klines(0)).toMatchObject({ status: 429, headers: { 'x-mbx-used-weight-10s': '2' } });
  expect(Array.from({ length: 3 }, () => klines(100).status)).toEqual([200, 200, 200]); // under way
  expect(Array.from({ length: 11 }, () => klines(1_000).status).slice(-2)).toEqual([200, 418]);
});

test('coinbase: newest first, inclusive bounds, at most 300, start and end together, no candles without trades', () => {
  const world = worldOf('BTC-USD', '1m', 1_000, YEAR_MS);
  const venue = standInCoinbase({ world, limit: { requests: 1_000, windowMs: 1_000 } });
  const iso = (minute: number) => new Date(YEAR_MS + minute * MINUTE_MS).toISOString();
  const traded = world.series[0]?.rows.slice(0, 300).filter((row) => Number(row[5]) > 0) ?? [];
  const whole = request(venue, `/products/BTC-USD/candles?granularity=60&start=${iso(0)}&end=${iso(299)}`);
  expect(times(whole)).toEqual(traded.map((row) => row[0] / 1_000).toReversed());
  expect(rows(whole).at(-1)?.slice(1)).toEqual(
    [traded[0]?.[3], traded[0]?.[2], traded[0]?.[1], traded[0]?.[4], traded[0]?.[5]].map(Number),
  );
  expect(traded.length).toBeLessThan(300);
  expect(request(venue, `/products/BTC-USD/candles?granularity=60&start=${iso(0)}&end=${iso(301)}`)).toMatchObject({
    status: 400,
    json: { message: expect.stringContaining('exceeds 300') },
  });
  expect(request(venue, `/products/BTC-USD/candles?granularity=60&start=${iso(0)}`).status).toBe(400);
  expect(request(venue, '/products/BTC-USD/candles?granularity=14400').status).toBe(400);
  expect(request(venue, '/products/NO-USD/candles?granularity=60')).toMatchObject({
    status: 404,
    json: { message: 'NotFound' },
  });
});

test('okx: newest first, exclusive bounds, `before` alone gives the newest, the open candle is unconfirmed', () => {
  const world = worldOf('BTC-USDT', '1m', 500, YEAR_MS);
  const venue = standInOkx({
    world,
    limits: { recent: { requests: 1_000, windowMs: 2_000 }, history: { requests: 1_000, windowMs: 2_000 } },
  });
  const nowMs = YEAR_MS + 400 * MINUTE_MS + 20_000;
  const history = (query: string) =>
    request(venue, `/api/v5/market/history-candles?instId=BTC-USDT&bar=1m&${query}`, nowMs);
  expect(times(history(`after=${YEAR_MS + 3 * MINUTE_MS}&before=${YEAR_MS}`))).toEqual([
    YEAR_MS + 2 * MINUTE_MS,
    YEAR_MS + MINUTE_MS,
  ]);
  expect(times(history(`before=${YEAR_MS}&limit=2`))).toEqual([YEAR_MS + 398 * MINUTE_MS, YEAR_MS + 397 * MINUTE_MS]);
  expect(times(history('limit=1000'))).toHaveLength(300);
  const recent = rows(request(venue, '/api/v5/market/candles?instId=BTC-USDT&bar=1m', nowMs));
  expect(recent.slice(0, 2).map((row) => [Number(row[0]), row[8]])).toEqual([
    [YEAR_MS + 400 * MINUTE_MS, '0'],
    [YEAR_MS + 399 * MINUTE_MS, '1'],
  ]);
  expect(request(venue, '/api/v5/market/candles?instId=NO-USDT&bar=1m')).toMatchObject({
    status: 200,
    json: { code: '51001' },
  });
  expect(request(venue, '/api/v5/market/candles?instId=BTC-USDT&bar=1h')).toMatchObject({ json: { code: '51000' } });
});

test('okx ignores contradictory bounds and returns the newest candles', () => {
  const venue = standInOkx({ world: worldOf('BTC-USDT', '1m', 500, YEAR_MS) });
  const bounds = `after=${YEAR_MS + 3 * MINUTE_MS}&before=${YEAR_MS + 5 * MINUTE_MS}`;
  expect(times(request(venue, `/api/v5/market/history-candles?instId=BTC-USDT&bar=1m&${bounds}&limit=1`))).toEqual([
    YEAR_MS + 499 * MINUTE_MS,
  ]);
});

test('every venue serves the open candle with its trades so far, and no future candle', () => {
  const nowMs = YEAR_MS + 10 * MINUTE_MS + 30_000;
  const open = {
    binance: standInBinance({ world: worldOf('BTCUSDT', '1m', 20, YEAR_MS) }),
    coinbase: standInCoinbase({ world: worldOf('BTC-USD', '1m', 20, YEAR_MS) }),
    okx: standInOkx({ world: worldOf('BTC-USDT', '1m', 20, YEAR_MS) }),
  };
  const [binance, coinbase, okx] = [
    rows(request(open.binance, '/api/v3/klines?symbol=BTCUSDT&interval=1m', nowMs)).at(-1),
    rows(request(open.coinbase, '/products/BTC-USD/candles?granularity=60', nowMs))[0],
    rows(request(open.okx, '/api/v5/market/candles?instId=BTC-USDT&bar=1m', nowMs))[0],
  ];
  expect([binance, coinbase, okx].map((row) => Number(row?.[0]))).toEqual([
    YEAR_MS + 10 * MINUTE_MS,
    YEAR_MS / 1_000 + 600,
    YEAR_MS + 10 * MINUTE_MS,
  ]);
  const volumes = ['BTCUSDT', 'BTC-USD', 'BTC-USDT'].map((name) =>
    Number(worldOf(name, '1m', 20, YEAR_MS).series[0]?.rows[10]?.[5]),
  );
  for (const [at, volume] of [binance, coinbase, okx].map((row) => Number(row?.[5])).entries())
    expect(volume).toBeCloseTo((volumes[at] ?? 0) / 2, 3);
});

test('coinbase and okx refuse requests beyond their windows', () => {
  const coinbase = standInCoinbase({ world: worldOf('BTC-USD', '1m', 10, YEAR_MS) });
  const okx = standInOkx({ world: worldOf('BTC-USDT', '1m', 10, YEAR_MS) });
  const statuses = (count: number, venue: StandInExchange, path: string) =>
    Array.from({ length: count }, () => request(venue, path).status).filter((status) => status === 429).length;
  expect(statuses(11, coinbase, '/products')).toBe(1);
  expect(statuses(21, okx, '/api/v5/market/history-candles?instId=BTC-USDT&bar=1m')).toBe(1);
  expect(statuses(41, okx, '/api/v5/market/candles?instId=BTC-USDT&bar=1m')).toBe(1);
});

const WIRE_FAULTS: readonly (readonly [FaultSpec, string])[] = [
  [{ kind: 'reset' }, 'CONNECTION_FAILED'],
  [{ kind: 'cut' }, 'CONNECTION_FAILED'],
  [{ kind: 'silence' }, 'REQUEST_TIMEOUT'],
  [{ kind: 'stall' }, 'REQUEST_TIMEOUT'],
];
test.each(WIRE_FAULTS)('over real sockets %j is recorded as %s', async (fault, expected) => {
  const venue = standInBinance({
    world: worldOf('BTCUSDT', '1m', 100, YEAR_MS),
    plan: { seed: 'wire', rules: [{ on: { every: 1 }, fault }] },
  });
  const server = await serveOnLoopback(venue.handle, { clock: realClock });
  const http = undiciHttp();
  onTestFinished(async () => {
    await http.close();
    await server.close();
  });
  // A broken connection fails by itself: only a fault that sends nothing needs a short timeout.
  const timeout = AbortSignal.timeout(expected === 'REQUEST_TIMEOUT' ? 300 : 30_000);
  const thrown: unknown = await http
    .get({ url: `${server.url}/api/v3/klines?symbol=BTCUSDT&interval=1m` }, timeout)
    .catch((error: unknown) => translateTransport(error, 'binance'));
  expect(thrown).toMatchObject({ code: expected });
});
