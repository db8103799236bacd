import { intervalMs, type Interval } from '../../src/domain/interval.ts';
import type { TimeRange } from '../../src/domain/range.ts';
import type { HttpResponse } from '../../src/platform/ports/http.ts';
import type { DeliveredRow, Page } from '../../src/exchanges/adapter.ts';
import { generatedWorld } from '../../src/simulation/generated-world.ts';
import type { ResponseReply } from '../../src/simulation/stand-ins/reply.ts';
import type { World } from '../../src/simulation/world.ts';
import type { RecordedCandle } from '../../src/simulation/recorded-series.ts';
import type { VenueCase } from './exchange-case.ts';

export const SYMBOL = 'BTC/USDT';
export const START_MS = Date.UTC(2024, 4, 20);
export const NOW_MS = Date.UTC(2024, 5, 1, 12);
export const CANDLES = 2_500;

/** Generated candles of one series up to now, the last one still open. */
export function generatedCandles(venue: VenueCase, interval: Interval): World {
  const stepMs = intervalMs(interval);
  const range = { fromMs: Math.floor(NOW_MS / stepMs) * stepMs - CANDLES * stepMs, toMs: NOW_MS + stepMs };
  return generatedWorld('contract', [{ symbol: SYMBOL, venueSymbol: venue.venueSymbol(SYMBOL), interval, range }]);
}

export const rowsOf = (world: World): readonly RecordedCandle[] => world.series[0]?.rows ?? [];
export const seriesOf = (venue: VenueCase, interval: Interval) => ({
  exchange: venue.adapter.exchange,
  symbol: SYMBOL,
  interval,
});

export function queryStandIn(venue: VenueCase, world: World, url: string, nowMs = NOW_MS): HttpResponse {
  const { pathname, searchParams } = new URL(url);
  const reply = venue.standIn
    .open({ world })
    .handle(
      { method: 'GET', path: pathname, query: searchParams, headers: {}, body: Buffer.alloc(0) },
      nowMs,
    ) as ResponseReply;
  return { status: reply.status, headers: reply.headers, body: reply.body };
}

export function fetchPage(venue: VenueCase, world: World, page: Page): readonly DeliveredRow[] {
  return venue.adapter.readCandles(
    page,
    queryStandIn(venue, world, venue.adapter.candlesRequest(venue.origin, page, NOW_MS).url),
    NOW_MS,
  );
}

/** Open times that the venue delivers of a range: closed and settled candles, without those it omits. */
export const delivered = (venue: VenueCase, world: World, { fromMs, toMs }: TimeRange, stepMs: number): number[] =>
  rowsOf(world)
    .filter(
      (row) =>
        row[0] >= fromMs &&
        row[0] < toMs &&
        row[0] + stepMs + venue.adapter.graceMs <= NOW_MS &&
        (venue.standIn.emptyCandles === 'flat' || Number(row[5]) > 0),
    )
    .map((row) => row[0]);

export function failureOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
