import { SchemaMismatchError } from '../../src/errors/errors.ts';
import type { Page } from '../../src/exchanges/adapter.ts';
import { binance } from '../../src/exchanges/binance/adapter.ts';
import type { Adapters } from '../../src/exchanges/registry.ts';

/** Throws for a response that the reader rejects. Times in milliseconds since the epoch. */
type Check = (page: Page, fetchedAtMs: number) => void;

/** Binance's adapter, whose reader a test makes stricter halfway, as an upgrade of the program would. */
export function upgradableReader(): { readonly adapters: Adapters; upgrade(check: Check): void } {
  let check: Check = () => undefined;
  const readCandles: typeof binance.readCandles = (page, response, answeredAtMs) => {
    check(page, answeredAtMs);
    return binance.readCandles(page, response, answeredAtMs);
  };
  return {
    adapters: new Map([['binance', { ...binance, readCandles }]]),
    upgrade: (stricter) => {
      check = stricter;
    },
  };
}

/** Rejects what bronze holds of one symbol and accepts what is fetched from `sinceMs` on. */
export const rejecting =
  (symbol: string, sinceMs: number): Check =>
  ({ series }, fetchedAtMs) => {
    if (series.symbol !== symbol || fetchedAtMs >= sinceMs) return;
    const facts = { exchange: series.exchange, status: 200, venueCode: null, retryAfterMs: null };
    throw new SchemaMismatchError('a row of Binance lacks the field that this reader requires', facts);
  };
