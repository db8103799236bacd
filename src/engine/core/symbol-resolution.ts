import type { Exchange } from '../../domain/exchange.ts';
import { DAY_MS } from '../../domain/interval.ts';
import {
  choiceText,
  chosenOf,
  type MarketChoice,
  type OpenChoice,
  type RankedMarket,
} from '../../domain/symbol-selector.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import { recordResolvedChoice, resolvedChoice } from '../../state/resolved-symbols.ts';
import { ConfigurationError, exchangeError, type ExchangeAPIError } from '../../errors/errors.ts';
import type { Listing } from '../../exchanges/adapter.ts';
import type { Pipeline } from './pipeline.ts';
import { singleCall, type SingleQuery } from './single-query.ts';
import { venueOf, type Venue } from './exchanges.ts';

/** Markets by exchange, as the configuration or a flag states them. */
export type MarketChoices = ReadonlyMap<Exchange, readonly MarketChoice[]>;
export type Markets = ReadonlyMap<Exchange, readonly MarketSymbol[]>;

export interface Resolution {
  readonly choices: MarketChoices;
  /**
   * `daily`: a stored resolution of more than a day ago is requested again. `any`: a stored one of any age will do.
   * `stored`: nothing is requested and choices without a stored resolution are left out.
   */
  readonly freshness: 'daily' | 'any' | 'stored';
  readonly signal: AbortSignal;
}

/**
 * Resolves patterns and rankings to trading spot markets of the venue's own list, without aliases. A
 * resolution is stored and requested again at most daily. While a venue fails, the last one stays in force.
 * @throws ExchangeAPIError when a venue fails and no resolution is stored.
 * @throws ConfigurationError (CONFIG_INVALID) when the choices resolve to no market at all.
 */
export async function resolveMarkets(pipeline: Pipeline, { choices, freshness, signal }: Resolution): Promise<Markets> {
  const markets = new Map<Exchange, readonly MarketSymbol[]>();
  for (const [exchange, own] of choices) {
    const venue = openMarkets(pipeline, exchange, signal);
    const symbols: MarketSymbol[] = [];
    for (const choice of own)
      symbols.push(
        ...(choice.kind === 'symbol'
          ? [choice.symbol]
          : await resolveChoice(pipeline, choice, { exchange, freshness, venue })),
      );
    if (symbols.length > 0) markets.set(exchange, [...new Set(symbols)]);
  }
  if (markets.size > 0 || choices.size === 0 || freshness === 'stored') return markets;
  const requested = [...choices].flatMap(([exchange, own]) => own.map((choice) => `${exchange}:${choiceText(choice)}`));
  throw new ConfigurationError({
    where: 'symbols',
    expected: 'a choice that matches a trading market',
    got: requested.join(', '),
  });
}

type Wanted = { readonly exchange: Exchange; readonly freshness: Resolution['freshness']; readonly venue: OpenMarkets };

async function resolveChoice(
  { ports }: Pipeline,
  choice: OpenChoice,
  { exchange, freshness, venue }: Wanted,
): Promise<readonly MarketSymbol[]> {
  const { store, clock, log } = ports;
  const text = choiceText(choice);
  const before = await store.read(resolvedChoice, exchange, text);
  if (freshness === 'stored') return before?.symbols ?? [];
  if (before !== null && (freshness === 'any' || clock.nowMs() - before.resolvedAtMs < DAY_MS)) return before.symbols;
  const listed = await venue.listed(choice.kind);
  if (!listed.ok) {
    if (before === null)
      throw exchangeError(
        listed.fault.code,
        `${exchange}:${text} was never resolved to symbols: ${listed.fault.message}`,
        listed.fault.facts,
        { cause: listed.fault },
      );
    log.warn(
      `${exchange}:${text} keeps its symbols of ${new Date(before.resolvedAtMs).toISOString()}: ` +
        listed.fault.message,
      { exchange, code: listed.fault.code, symbols: before.symbols.length },
    );
    return before.symbols;
  }
  const symbols = successorsOf(before?.symbols ?? [], chosenOf(choice, listed.markets), listed.markets);
  if (symbols.length === 0) log.warn(`no trading market of ${exchange} matches ${text}`, { exchange });
  else await store.transact(recordResolvedChoice, { exchange, choice: text, symbols, resolvedAtMs: clock.nowMs() });
  return symbols;
}

/**
 * The new resolution. Symbols that the venue stops listing stay: their due candles are in the account until the
 * removal is confirmed. Outranked symbols leave.
 */
function successorsOf(
  before: readonly MarketSymbol[],
  chosen: readonly MarketSymbol[],
  markets: readonly RankedMarket[],
): readonly MarketSymbol[] {
  const trading = new Set(markets.map(({ symbol }) => symbol));
  return [...chosen, ...before.filter((symbol) => !trading.has(symbol))];
}

type Listed =
  | { readonly ok: true; readonly markets: readonly RankedMarket[] }
  | { readonly ok: false; readonly fault: ExchangeAPIError };

interface OpenMarkets {
  /** The venue's trading markets, with volumes for a ranking. Each list is requested once. */
  listed(kind: OpenChoice['kind']): Promise<Listed>;
}

function openMarkets(pipeline: Pipeline, exchange: Exchange, signal: AbortSignal): OpenMarkets {
  const venue = venueOf(pipeline.venues, exchange);
  let listings: ReturnType<typeof request<readonly Listing[]>> | null = null;
  let volumes: ReturnType<typeof request<ReadonlyMap<string, number>>> | null = null;
  return {
    listed: async (kind) => {
      listings ??= request(venue, {
        signal,
        query: {
          request: (origin) => venue.adapter.symbolsRequest(origin),
          read: (response, atMs) => venue.adapter.readSymbols(response, atMs).listings,
        },
      });
      const listing = await listings;
      if (!listing.ok) return listing;
      const spot = listing.value.filter(({ isTrading, aliasOf }) => isTrading && aliasOf === null);
      if (kind === 'pattern') return { ok: true, markets: spot.map(({ symbol }) => ({ symbol, quoteVolume: null })) };
      volumes ??= request(venue, { signal, query: rankingOf(venue) });
      const ranking = await volumes;
      if (!ranking.ok) return ranking;
      return {
        ok: true,
        markets: spot.map(({ symbol, venueSymbol }) => ({
          symbol,
          quoteVolume: ranking.value.get(venueSymbol) ?? null,
        })),
      };
    },
  };
}

function rankingOf({ adapter }: Venue): SingleQuery<ReadonlyMap<string, number>> {
  if (adapter.ranking === null) throw new RangeError(`${adapter.exchange} cannot rank its markets`);
  return adapter.ranking;
}

type Response<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: ExchangeAPIError };

const request = async <T>(
  venue: Venue,
  { query, signal }: { readonly query: SingleQuery<T>; readonly signal: AbortSignal },
): Promise<Response<T>> => venue.executor.execute(singleCall(venue, query), signal);
