import type { HttpResponse } from '../../src/platform/ports/http.ts';
import type { Interval } from '../../src/domain/interval.ts';
import type { MarketSymbol } from '../../src/domain/symbol.ts';
import type { ExchangeAdapter, Page } from '../../src/exchanges/adapter.ts';
import type { ExchangeFaultCode } from '../../src/errors/errors.ts';
import type { RateLimit } from '../../src/resilience/rate-limit/rate-limit.ts';
import { STAND_INS, type StandIn } from '../../src/simulation/stand-ins/stand-ins.ts';

/** An answer that is an error, as recorded or documented, and the one code it must be found under. */
export interface Refusal {
  readonly says: string;
  readonly status: number;
  /** JSON, or text as it came. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly code: ExchangeFaultCode;
  /** What the answer asks us to wait at 2024-06-01T12:00Z; absent when it asks for nothing. */
  readonly waitMs?: number;
  /** The body's code decides, whatever status carries it. */
  readonly isCoded?: true;
}

/** A recorded candle answer and what it holds. */
export interface RecordedResponse {
  readonly says: string;
  readonly page: Page;
  readonly body: unknown;
  readonly rows: number;
  readonly first: {
    readonly openTimeMs: number;
    readonly open: number;
    readonly high: number;
    readonly low: number;
    readonly close: number;
    readonly volume: number;
  };
}

/** Everything the contract needs to know of an exchange. A new exchange is one more of these. */
export interface VenueCase {
  readonly adapter: ExchangeAdapter;
  readonly origin: string;
  readonly standIn: StandIn;
  readonly venueSymbol: (symbol: MarketSymbol) => string;
  /** How much of time the venue's numbers count: 1 or 1,000. */
  readonly timeUnitMs: number;
  /** Statuses that mean something else here than everywhere. */
  readonly ownStatuses?: Readonly<Record<number, ExchangeFaultCode>>;
  /** The request for two candles from 2024-05-20T00:00Z, asked at 2024-06-01T12:00Z, by candle length: path and query. */
  readonly requests: Readonly<Partial<Record<Interval, string>>>;
  readonly refusals: readonly Refusal[];
  readonly recorded: readonly RecordedResponse[];
  /** A ticker answer as documented and the volumes in quote currency it states, by the venue's spelling; null where the venue has no ranking. */
  readonly ranking: { readonly body: unknown; readonly volumes: Readonly<Record<string, number>> } | null;
  /** A listing answer that has `symbol`, as recorded or documented. */
  readonly listing: {
    readonly body: unknown;
    readonly symbols: readonly MarketSymbol[];
    readonly notTrading: readonly MarketSymbol[];
    readonly aliases: readonly MarketSymbol[];
    readonly limits: readonly RateLimit[];
  };
}

export const respondWith = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse => ({
  status,
  headers,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});

/** The stand-in of an exchange. @throws RangeError where there is none. */
export function standInOf(exchange: string): StandIn {
  const standIn = STAND_INS.get(exchange);
  if (standIn === undefined) throw new RangeError(`${exchange} has no stand-in`);
  return standIn;
}
