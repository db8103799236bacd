import { intervalMs, INTERVALS } from '../../src/domain/interval.ts';
import { seenAt } from '../../src/simulation/open-candle.ts';
import { jsonReply, type ResponseReply } from '../../src/simulation/stand-ins/reply.ts';
import { slidingMeter } from '../../src/simulation/stand-ins/sliding-meter.ts';
import { standInVenue, type BreakRows } from '../../src/simulation/stand-ins/stand-in-exchange.ts';
import type { StandIn } from '../../src/simulation/stand-ins/stand-ins.ts';
import type { CandleSource } from '../../src/simulation/world.ts';

const BARS = /^\/v1\/bars\/([^/]+)$/;
const BARS_MAX = 200;
const refuse = (error: string): ResponseReply => jsonReply(200, { ok: false, error });

interface BarsQuery {
  readonly market: string;
  readonly minutes: number;
  readonly fromMs: number;
  readonly toMs: number;
}

function barsQueryOf({ path, query }: { readonly path: string; readonly query: URLSearchParams }): BarsQuery | null {
  const market = BARS.exec(path)?.[1];
  return market === undefined
    ? null
    : {
        market,
        minutes: Number(query.get('minutes')),
        fromMs: Number(query.get('since')) * 60_000,
        toMs: Number(query.get('until')) * 60_000,
      };
}

export const standInTidewater: StandIn = {
  columns: 'first-six',
  emptyCandles: 'omitted',
  open: ({ world, plan }) => {
    const meter = slidingMeter({ requests: 5, windowMs: 1_000 });
    return standInVenue(
      {
        errorBody: ({ venueCode, message }) => ({ ok: false, error: venueCode ?? message }),
        weightOf: () => 1,
        charge: (_request, nowMs) => ({ headers: {}, refusal: meter.admits(nowMs) ? null : refuse('slow_down') }),
        requestedCandles: (request) => {
          const requested = barsQueryOf(request);
          return (
            requested && {
              symbol: requested.market,
              interval:
                INTERVALS.find((interval) => intervalMs(interval) === requested.minutes * 60_000) ??
                String(requested.minutes),
              range: requested,
            }
          );
        },
        response: (request, at) => {
          const requested = barsQueryOf(request);
          if (requested !== null) return bars(world, requested, at);
          return request.path === '/v1/markets'
            ? jsonReply(200, { ok: true, result: { markets: markets(world) } })
            : refuse('no_such_path');
        },
      },
      plan,
    );
  },
};

const markets = (world: CandleSource): unknown =>
  [...new Map(world.series.map((series) => [series.venueSymbol, series.symbol]))].map(([name, symbol]) => {
    const [base, quote] = symbol.split('/');
    return { name, base, quote, open: true };
  });

function bars(
  world: CandleSource,
  { market, minutes, fromMs, toMs }: BarsQuery,
  { nowMs, breakRows }: { readonly nowMs: number; readonly breakRows: BreakRows },
): ResponseReply {
  if (!world.series.some((series) => series.venueSymbol === market)) return refuse('no_such_market');
  const interval = INTERVALS.find((one) => intervalMs(one) === minutes * 60_000);
  if (interval === undefined) return refuse('no_such_length');
  const selected = world.select({ venueSymbol: market, interval }, { fromMs, toMs, rowsMax: Infinity, keep: 'oldest' });
  const rows = breakRows(
    seenAt(selected, nowMs)
      .filter((row) => Number(row[5]) > 0)
      .slice(0, BARS_MAX),
  );
  return jsonReply(200, {
    ok: true,
    result: {
      bars: rows.map(([time, o, h, l, c, v, , , n]) => ({
        at: Number(time) / 60_000,
        o,
        h,
        l,
        c,
        v,
        n,
        done: Number(time) + intervalMs(interval) <= nowMs,
      })),
    },
  });
}
