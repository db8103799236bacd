import type { HttpResponse } from '../platform/ports/http.ts';
import type { Candle, Series } from '../domain/candle.ts';
import type { Exchange } from '../domain/exchange.ts';
import type { Interval } from '../domain/interval.ts';
import type { TimeRange } from '../domain/range.ts';
import type { MarketSymbol } from '../domain/symbol.ts';
import type { ExchangeAPIError } from '../errors/errors.ts';
import type { RateLimit, UsedWeight, WeightedRequest } from '../resilience/rate-limit/rate-limit.ts';

/** One request for candles: a segment of one series, at most the page size long. It may cover many partitions. */
export interface Page {
  readonly series: Series;
  readonly range: TimeRange;
}

/** A row as delivered, before any row rule. */
export interface DeliveredRow extends Candle {
  /** Its index in the response, 0 first, by which a quarantined row is found again in bronze. */
  readonly index: number;
}

/** One market of the exchange's symbol list. */
export interface Listing {
  readonly symbol: MarketSymbol;
  /** The exchange's spelling, e.g. `BTCUSDT`. */
  readonly venueSymbol: string;
  readonly isTrading: boolean;
  /** The market that this one is an alias of; null for a market of its own. */
  readonly aliasOf: MarketSymbol | null;
}

/** What configuration and help need to know of an exchange: enough to start a command without its adapter. */
export interface ExchangeEntry {
  readonly exchange: Exchange;
  readonly intervals: readonly Interval[];
  /** Whether the exchange states volumes in quote currency, which `top:N` needs. */
  readonly hasRanking: boolean;
  loadAdapter(): Promise<ExchangeAdapter>;
}

/**
 * What an exchange's folder provides. An adapter translates and decides nothing: every response becomes rows or an
 * `ExchangeAPIError` with a code of the fault table. All methods are pure; the executor sends the requests.
 */
export interface ExchangeAdapter {
  readonly exchange: Exchange;
  /** How long after its close a candle may still change. Unit: milliseconds. */
  readonly graceMs: number;
  /** Origins of the API, the preferred first. A configured URL replaces them all. */
  readonly origins: readonly string[];
  /** The one of them that serves public data where the others refuse a region (451); null without one. */
  readonly unrestrictedOrigin: string | null;
  readonly rowsPerPageMax: number;
  /** Prior knowledge of the limits; those that the exchange states replace it. */
  readonly limits: readonly RateLimit[];
  readonly intervals: readonly Interval[];
  /** How a candle without trades is delivered: as a flat row, or not at all. */
  readonly emptyCandles: 'flat' | 'omitted';

  candlesRequest(origin: string, page: Page, requestedAtMs: number): WeightedRequest;
  /**
   * The rows of a candle response that lie in the page's range, oldest first, duplicates included.
   * Candles that had not closed at `answeredAtMs` (venue time) are left out.
   * @throws ExchangeAPIError for every response without candle rows.
   */
  readCandles(page: Page, response: HttpResponse, answeredAtMs: number): readonly DeliveredRow[];
  /**
   * The rows of a candle response as its body holds them; `DeliveredRow.index` is a position in this list.
   * @throws ExchangeAPIError for every response without such a list.
   */
  rawCandles(response: HttpResponse, answeredAtMs: number): readonly unknown[];

  /** The query for the earliest candle of a series; null where there is none and daily pages must be searched. */
  readonly firstCandle: FirstCandleQuery | null;

  symbolsRequest(origin: string): WeightedRequest;
  readSymbols(
    response: HttpResponse,
    answeredAtMs: number,
  ): { readonly listings: readonly Listing[]; readonly limits: readonly RateLimit[] };

  /** The query for the volume of all markets in quote currency; null where the exchange has none. */
  readonly ranking: Ranking | null;

  /** The fault behind what the transport threw; null for a cancellation or a defect. */
  translate(error: unknown): ExchangeAPIError | null;
  /** The use of each window that the response's headers state; empty without such headers. */
  usedWeight(response: HttpResponse): readonly UsedWeight[];
}

export interface FirstCandleQuery {
  request(origin: string, series: Series): WeightedRequest;
  /** Open time of the earliest candle; null for a response without candles. */
  read(response: HttpResponse, answeredAtMs: number): number | null;
}

export interface Ranking {
  request(origin: string): WeightedRequest;
  /** Volume of the last 24 hours in quote currency, by the venue's spelling of the market. @throws ExchangeAPIError. */
  read(response: HttpResponse, answeredAtMs: number): ReadonlyMap<string, number>;
}
