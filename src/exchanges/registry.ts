import type { Exchange } from '../domain/exchange.ts';
import type { ExchangeAdapter, ExchangeEntry } from './adapter.ts';
import { binance } from './binance/entry.ts';
import { coinbase } from './coinbase/entry.ts';
import { okx } from './okx/entry.ts';

export type Adapters = ReadonlyMap<Exchange, ExchangeAdapter>;

/** Every exchange, in display order. A new one is a folder beside these and a name here. */
export const EXCHANGES: ReadonlyMap<Exchange, ExchangeEntry> = new Map(
  [binance, coinbase, okx].map((entry) => [entry.exchange, entry]),
);

/** The adapters of every exchange, loaded at the first call. */
export async function loadAdapters(): Promise<Adapters> {
  const adapters = await Promise.all([...EXCHANGES.values()].map((entry) => entry.loadAdapter()));
  return new Map(adapters.map((adapter) => [adapter.exchange, adapter]));
}
