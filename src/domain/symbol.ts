/** The canonical spelling, ccxt's unified form: `BTC/USDT`. Used in columns, configuration and JSON. */
export type MarketSymbol = string;

/** Quote currencies an unseparated spelling (`BTCUSDT`) may end in; the longest match wins. */
const QUOTES = [
  'FDUSD',
  'USDT',
  'USDC',
  'TUSD',
  'BUSD',
  'USDP',
  'EUR',
  'GBP',
  'TRY',
  'BRL',
  'JPY',
  'AUD',
  'USD',
  'DAI',
  'BTC',
  'ETH',
  'BNB',
];
const ASSET = '[A-Z0-9]{1,20}';
const SEPARATED = new RegExp(`^(${ASSET})[/-](${ASSET})$`);
const JOINED = new RegExp(`^${ASSET}$`);

/** `BTC/USDT`, `BTC-USDT`, `BTCUSDT` in any case -> `BTC/USDT`; null when it is none of them. */
export function parseSymbol(text: string): MarketSymbol | null {
  const upper = text.trim().toUpperCase();
  const separated = SEPARATED.exec(upper);
  if (separated) return `${separated[1]}/${separated[2]}`;
  if (!JOINED.test(upper)) return null;
  const quote = QUOTES.find((candidate) => upper.endsWith(candidate) && upper.length > candidate.length);
  return quote ? `${upper.slice(0, -quote.length)}/${quote}` : null;
}

/** `BTC-USDT`: the spelling for paths and links. */
export const symbolPath = (symbol: MarketSymbol): string => symbol.replace('/', '-');

/** `BTCUSDT`: Binance's spelling, among others. */
export const symbolJoined = (symbol: MarketSymbol): string => symbol.replace('/', '');
