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

/** Markets by exchange as the configuration or a flag names them. */
export type MarketChoices = ReadonlyMap<Exchange, readonly MarketChoice[]>;
export type Markets = ReadonlyMap<Exchange, readonly MarketSymbol[]>;

export interface Resolution {
  readonly choices: MarketChoices;
  /** Whether an answer of more than a day ago is asked for again. What was never asked is asked in any case, except with `stored`: that asks nobody, and leaves out what nobody knows. */
  readonly freshness: 'daily' | 'any' | 'stored';
  readonly signal: AbortSignal;
}

/**
 * The symbols that patterns and rankings stand for: trading spot markets of the venue's own list, no
 * aliases. An answer is kept and asked for again at most daily; while a venue cannot be asked, the last
 * one stays in force.
 * @throws ExchangeAPIError of a venue that cannot be asked for the first time.
 * @throws ConfigurationError (CONFIG_INVALID) when nothing at all is chosen.
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
  const asked = [...choices].flatMap(([exchange, own]) => own.map((choice) => `${exchange}:${choiceText(choice)}`));
  throw new ConfigurationError({
    where: 'symbols',
    expected: 'a choice that some trading market fits',
    got: asked.join(', '),
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
  const before = await store.read('resolvedChoice', () => resolvedChoice(exchange, text));
  if (freshness === 'stored') return before?.symbols ?? [];
  if (before !== null && (freshness === 'any' || clock.nowMs() - before.resolvedAtMs < DAY_MS)) return before.symbols;
  const listed = await venue.listed(choice.kind);
  if (!listed.ok) {
    if (before === null)
      throw exchangeError(
        listed.fault.code,
        `nobody told yet what ${exchange}:${text} stands for: ${listed.fault.message}`,
        listed.fault.facts,
        { cause: listed.fault },
      );
    log.warn(
      `${exchange}:${text} stands for what it stood for at ${new Date(before.resolvedAtMs).toISOString()}: ${listed.fault.message}`,
      { exchange, code: listed.fault.code, symbols: before.symbols.length },
    );
    return before.symbols;
  }
  const symbols = successorsOf(before?.symbols ?? [], chosenOf(choice, listed.markets), listed.markets);
  if (symbols.length === 0) log.warn(`no trading market of ${exchange} fits ${text}`, { exchange });
  else
    await store.transact('recordResolvedChoice', () =>
      recordResolvedChoice({ exchange, choice: text, symbols, resolvedAtMs: clock.nowMs() }),
    );
  return symbols;
}

/** What a venue stops listing stays chosen: its due candles are accounted for until the removal is confirmed. Only who is outranked leaves. */
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
  /** The venue's trading markets, with their volumes for a ranking; each list is asked for once. */
  listed(kind: OpenChoice['kind']): Promise<Listed>;
}

function openMarkets(pipeline: Pipeline, exchange: Exchange, signal: AbortSignal): OpenMarkets {
  const venue = venueOf(pipeline.venues, exchange);
  let listings: ReturnType<typeof ask<readonly Listing[]>> | null = null;
  let volumes: ReturnType<typeof ask<ReadonlyMap<string, number>>> | null = null;
  return {
    listed: async (kind) => {
      listings ??= ask(pipeline, venue, {
        signal,
        inquiry: {
          request: (origin) => venue.adapter.symbolsRequest(origin),
          read: (response, atMs) => venue.adapter.readSymbols(response, atMs).listings,
        },
      });
      const listing = await listings;
      if (!listing.ok) return listing;
      const spot = listing.value.filter(({ isTrading, aliasOf }) => isTrading && aliasOf === null);
      if (kind === 'pattern') return { ok: true, markets: spot.map(({ symbol }) => ({ symbol, quoteVolume: null })) };
      volumes ??= ask(pipeline, venue, { signal, inquiry: rankingOf(venue) });
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

type Asked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: ExchangeAPIError };

const ask = async <T>(
  { ports }: Pipeline,
  venue: Venue,
  { inquiry, signal }: { readonly inquiry: SingleQuery<T>; readonly signal: AbortSignal },
): Promise<Asked<T>> => venue.executor.execute(singleCall(ports, venue, inquiry), signal);
