import { parseSymbol, type MarketSymbol } from './symbol.ts';

/**
 * How a person names markets of one exchange: one by its symbol, all whose base and quote fit a
 * pattern, or those of one quote currency that trade most. Volumes in different quote currencies say
 * nothing about each other, so a ranking always has one.
 */
export type MarketChoice =
  | { readonly kind: 'symbol'; readonly symbol: MarketSymbol }
  | { readonly kind: 'pattern'; readonly base: string; readonly quote: string }
  | { readonly kind: 'top'; readonly count: number; readonly quote: string };

/** A choice that needs the exchange's symbol list. */
export type OpenChoice = Exclude<MarketChoice, { readonly kind: 'symbol' }>;

const PATTERN = /^([A-Z0-9*]{1,20})[/-]([A-Z0-9*]{1,20})$/;
const TOP = /^TOP:(\d{1,4})(?::([A-Z0-9]{1,20}))?$/;
const TOP_QUOTE = 'USDT';
const TOP_COUNT_MAX = 1_000;

// `BTC/USDT`, `*/USDT`, `1000*/USDT`, `top:50` (of USDT), `top:20:USDC`, in any case; null when it is none of them.
export function parseMarketChoice(text: string): MarketChoice | null {
  const upper = text.trim().toUpperCase();
  const [, count, quote = TOP_QUOTE] = TOP.exec(upper) ?? [];
  if (count !== undefined)
    return Number(count) >= 1 && Number(count) <= TOP_COUNT_MAX ? { kind: 'top', count: Number(count), quote } : null;
  const [, base, patternQuote] = PATTERN.exec(upper) ?? [];
  if (upper.includes('*'))
    return base === undefined || patternQuote === undefined ? null : { kind: 'pattern', base, quote: patternQuote };
  const symbol = parseSymbol(upper);
  return symbol === null ? null : { kind: 'symbol', symbol };
}

// The canonical spelling: `*/USDT`, `top:50:USDT`.
export function choiceText(choice: MarketChoice): string {
  switch (choice.kind) {
    case 'symbol':
      return choice.symbol;
    case 'pattern':
      return `${choice.base}/${choice.quote}`;
    case 'top':
      return `top:${choice.count}:${choice.quote}`;
    default:
      return choice satisfies never;
  }
}

/** One market of an exchange, as a choice sees it. */
export interface RankedMarket {
  readonly symbol: MarketSymbol;
  /** Traded in the last 24 hours, in the quote currency; null when not requested. */
  readonly quoteVolume: number | null;
}

/** The symbols that an open choice selects among an exchange's markets: patterns by name, rankings by volume. */
export function chosenOf(choice: OpenChoice, markets: readonly RankedMarket[]): readonly MarketSymbol[] {
  if (choice.kind === 'pattern') {
    const fits = new RegExp(`^${choiceText(choice).replaceAll('*', '[^/]*')}$`);
    return markets
      .map(({ symbol }) => symbol)
      .filter((symbol) => fits.test(symbol))
      .toSorted();
  }
  return markets
    .filter(({ symbol }) => symbol.endsWith(`/${choice.quote}`))
    .toSorted((a, b) => (b.quoteVolume ?? 0) - (a.quoteVolume ?? 0) || (a.symbol < b.symbol ? -1 : 1))
    .slice(0, choice.count)
    .map(({ symbol }) => symbol);
}
