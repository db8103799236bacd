import type { HttpResponse } from '../../src/platform/ports/http.ts';
import type { Interval } from '../../src/domain/interval.ts';
import type { MarketSymbol } from '../../src/domain/symbol.ts';
import type { ExchangeAdapter, Page } from '../../src/exchanges/adapter.ts';
import type { ExchangeFaultCode } from '../../src/errors/errors.ts';
import type { RateLimit } from '../../src/resilience/rate-limit/rate-limit.ts';
import { STAND_INS, type StandIn } from '../../src/simulation/stand-ins/stand-ins.ts';

/** An error response, as recorded or documented, and its only correct code. */
export interface Refusal {
  readonly says: string;
  readonly status: number;
  /** A string is sent as it is, any other value as JSON. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly code: ExchangeFaultCode;
  /** The wait that the response requires at 2024-06-01T12:00Z; absent without one. */
  readonly waitMs?: number;
  /** The code in the body decides, with any status. */
  readonly isCoded?: true;
}

/** A recorded candle response and its content. */
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

/** Everything the contract needs to know about an exchange. A new exchange needs one of these. */
export interface VenueCase {
  readonly adapter: ExchangeAdapter;
  readonly origin: string;
  readonly standIn: StandIn;
  readonly venueSymbol: (symbol: MarketSymbol) => string;
  /** Unit of the venue's times. */
  readonly timeUnitMs: number;
  /** Statuses with another meaning than elsewhere. */
  readonly ownStatuses?: Readonly<Record<number, ExchangeFaultCode>>;
  /** Path and query for two candles from 2024-05-20T00:00Z, sent at 2024-06-01T12:00Z, by interval. */
  readonly requests: Readonly<Partial<Record<Interval, string>>>;
  readonly refusals: readonly Refusal[];
  readonly recorded: readonly RecordedResponse[];
  /**
   * A documented ticker response and its volumes in quote currency, by the venue's spelling; null without a ranking.
   */
  readonly ranking: { readonly body: unknown; readonly volumes: Readonly<Record<string, number>> } | null;
  /** A symbol list, as recorded or documented. */
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

/** The stand-in of an exchange. @throws RangeError without one. */
export function standInOf(exchange: string): StandIn {
  const standIn = STAND_INS.get(exchange);
  if (standIn === undefined) throw new RangeError(`${exchange} has no stand-in`);
  return standIn;
}
