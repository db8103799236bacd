import { intervalMs, isInterval, type Interval } from '../market/interval.ts';
import type { FaultCode } from '../faults/taxonomy/table.ts';
import { brokenReply, brokenRows } from './broken-answer.ts';
import { codeOfFault, faultChooser, NO_FAULTS, type FaultPlan, type FaultSpec } from './fault-plan.ts';
import { jsonReply, textReply, type AnswerReply, type StandInHandler, type StandInReply, type StandInRequest } from './reply.ts';
import { weightMeter, type WeightLimit } from './weight-meter.ts';
import type { RecordedSeries, WireKline, World } from './world.ts';

/** One request as the stand-in saw it. */
export interface RequestEntry {
  readonly atMs: number;
  readonly path: string;
  readonly query: string;
  readonly weight: number;
  /** 0 when no answer was sent. */
  readonly status: number;
  /** The injected fault, if one struck. */
  readonly fault: FaultSpec | null;
  /** The code a client must find it under; null for no fault and for one that is none. */
  readonly code: FaultCode | null;
  /** Sent later than requests under way can still arrive, although a 429 or 418 asked to stay away. */
  readonly sentWhileClosed: boolean;
}

export interface StandInBinance {
  readonly handle: StandInHandler;
  readonly log: readonly RequestEntry[];
  /** Takes another plan from here on; the log goes on. */
  plan(plan: FaultPlan): void;
}

export interface StandInOptions {
  readonly world: World;
  readonly plan?: FaultPlan;
  readonly limit?: WeightLimit;
}

/** Requests sent before the answer that closed the venue may arrive this much later. Unit: milliseconds. */
const UNDER_WAY_MS = 100;
const ROWS_DEFAULT = 500;
const ROWS_MAX = 1_000;
const WEIGHTS: Readonly<Record<string, number>> = { '/api/v3/ping': 1, '/api/v3/time': 1, '/api/v3/exchangeInfo': 20, '/api/v3/klines': 2 };

/** Binance spot's public market data over recorded candles. Facts: exchange documentation and recorded answers (tapes/README.md). */
export function standInBinance({ world, plan = NO_FAULTS, limit = { weight: 6_000, windowMs: 60_000 } }: StandInOptions): StandInBinance {
  const log: RequestEntry[] = [];
  const meter = weightMeter(limit);
  let choose = faultChooser(plan);
  const closed = { fromMs: 0, untilMs: 0 };

  const handle = (request: StandInRequest, nowMs: number): StandInReply => {
    const weight = WEIGHTS[request.path] ?? 1;
    const sentWhileClosed = nowMs > closed.fromMs + UNDER_WAY_MS && nowMs < closed.untilMs;
    const charged = meter.charge(weight, nowMs);
    const headers = { 'x-mbx-used-weight': String(charged.used), 'x-mbx-used-weight-1m': String(charged.used), date: new Date(nowMs).toUTCString() };
    const planned = { path: request.path, symbol: request.query.get('symbol') ?? '', interval: request.query.get('interval') ?? '', nowMs };
    const fault = charged.refusal === null ? choose(planned) : null;
    const reply = charged.refusal ?? answer(world, request, { nowMs, fault, limit });
    const sent = reply.kind === 'answer' ? { ...reply, headers: { ...headers, ...reply.headers } } : reply;
    const status = sent.kind === 'answer' ? sent.status : 0;
    if (status === 429 || status === 418) close(closed, nowMs, Number((sent as AnswerReply).headers['retry-after'] ?? 0));
    log.push({ atMs: nowMs, path: request.path, query: request.query.toString(), weight, status, fault, code: fault === null ? null : codeOfFault(fault), sentWhileClosed });
    return sent;
  };
  return { handle, log, plan: (next) => { choose = faultChooser(next); } };
}

function close(closed: { fromMs: number; untilMs: number }, nowMs: number, retryAfterS: number): void {
  if (nowMs >= closed.untilMs) closed.fromMs = nowMs;
  closed.untilMs = Math.max(closed.untilMs, nowMs + retryAfterS * 1_000);
}

interface Circumstances {
  readonly nowMs: number;
  readonly fault: FaultSpec | null;
  readonly limit: WeightLimit;
}

function answer(world: World, request: StandInRequest, at: Circumstances): StandInReply {
  const whole = route(world, request, at);
  return at.fault === null ? whole : brokenReply(whole, at.fault, at.nowMs);
}

function route(world: World, { path, query }: StandInRequest, at: Circumstances): AnswerReply {
  switch (path) {
    case '/api/v3/ping': return jsonReply(200, {});
    case '/api/v3/time': return jsonReply(200, { serverTime: at.nowMs });
    case '/api/v3/exchangeInfo': return jsonReply(200, exchangeInfo(world, at));
    case '/api/v3/klines': return klines(world, query, at);
    default: return textReply(404, '<html><body><h1>404 Not Found</h1></body></html>');
  }
}

function exchangeInfo(world: World, { nowMs, limit }: Circumstances): unknown {
  const bySymbol = new Map(world.series.map((series) => [series.venueSymbol, series.symbol]));
  return {
    timezone: 'UTC',
    serverTime: nowMs,
    rateLimits: [{ rateLimitType: 'REQUEST_WEIGHT', ...windowWords(limit.windowMs), limit: limit.weight }, { rateLimitType: 'RAW_REQUESTS', interval: 'MINUTE', intervalNum: 5, limit: 61_000 }],
    exchangeFilters: [],
    symbols: [...bySymbol].map(([symbol, canonical]) => {
      const [baseAsset, quoteAsset] = canonical.split('/');
      return { symbol, status: 'TRADING', baseAsset, quoteAsset };
    }),
  };
}

const windowWords = (windowMs: number): { interval: string; intervalNum: number } =>
  windowMs % 60_000 === 0 ? { interval: 'MINUTE', intervalNum: windowMs / 60_000 } : { interval: 'SECOND', intervalNum: windowMs / 1_000 };

const refuse = (code: number, msg: string): AnswerReply => jsonReply(400, { code, msg });

function klines(world: World, query: URLSearchParams, { nowMs, fault }: Circumstances): AnswerReply {
  const [symbol, interval] = [query.get('symbol'), query.get('interval')];
  if (symbol === null) return refuse(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.");
  if (interval === null) return refuse(-1102, "Mandatory parameter 'interval' was not sent, was empty/null, or malformed.");
  if (!isInterval(interval)) return refuse(-1120, 'Invalid interval.');
  if (!world.series.some((series) => series.venueSymbol === symbol)) return refuse(-1121, 'Invalid symbol.');
  const numbers = (['startTime', 'endTime', 'limit'] as const).map((name) => [name, query.get(name)] as const);
  const illegal = numbers.find(([, text]) => text !== null && !/^\d{1,16}$/.test(text));
  if (illegal) return refuse(-1100, `Illegal characters found in parameter '${illegal[0]}'; legal range is '^[0-9]{1,20}$'.`);
  const [startMs, endMs, limit] = numbers.map(([, text]) => (text === null ? null : Number(text)));
  const rows = select(world.find(symbol, interval), { interval, startMs: startMs ?? null, endMs: endMs ?? null, rowsMax: Math.min(limit ?? ROWS_DEFAULT, ROWS_MAX), nowMs });
  return jsonReply(200, fault === null ? rows : brokenRows(rows, fault));
}

interface Selection {
  readonly interval: Interval;
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly rowsMax: number;
  readonly nowMs: number;
}

/**
 * Both bounds are inclusive: start rounded up to the next open time, end down. With a start the oldest
 * rows come, without one the newest. The candle that is still open is delivered too.
 */
function select(series: RecordedSeries | null, { startMs, endMs, rowsMax, nowMs }: Selection): readonly WireKline[] {
  const rows = (series?.rows ?? []).filter((row) => row[0] <= nowMs && (startMs === null || row[0] >= startMs) && (endMs === null || row[0] <= endMs));
  const chosen = startMs === null ? rows.slice(-rowsMax) : rows.slice(0, rowsMax);
  return chosen.map((row) => (series !== null && row[0] + intervalMs(series.interval) > nowMs ? openKline(row, nowMs) : row));
}

/** A candle seen before its close: the volume so far in proportion, the close somewhere on the way. */
function openKline(row: WireKline, nowMs: number): WireKline {
  const share = Math.max(0, (nowMs - row[0]) / (row[6] + 1 - row[0]));
  const partOf = (text: string): string => (Number(text) * share).toFixed(8);
  return row.with(4, row[1]).with(5, partOf(row[5])).with(7, partOf(row[7])).with(8, Math.floor(row[8] * share)) as unknown as WireKline;
}
