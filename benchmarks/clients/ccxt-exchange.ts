import ccxt, { type binance } from 'ccxt';
import { ATTEMPT_TIMEOUT_MS, venueSymbolOf, type Task } from '../workload.ts';

/** ccxt's Binance, set up as its manual says, with the exchange's URL and its markets. */
export function ccxtBinance(
  { url, symbols }: Pick<Task, 'url' | 'symbols'>,
  options: Readonly<Record<string, unknown>> = {},
): binance {
  const exchange = new ccxt.binance({ enableRateLimit: true, timeout: ATTEMPT_TIMEOUT_MS, options });
  (exchange.urls as { api: Record<string, string> }).api['public'] = `${url}/api/v3`;
  exchange.setMarkets(
    symbols.map((symbol) => {
      const [base = '', quote = ''] = symbol.split('/');
      return {
        id: venueSymbolOf(symbol),
        symbol,
        base,
        quote,
        baseId: base,
        quoteId: quote,
        type: 'spot',
        spot: true,
        active: true,
        precision: { amount: 8, price: 2 },
        limits: {},
      };
    }),
  );
  return exchange;
}
