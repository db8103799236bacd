import type { Exchange } from '../domain/exchange.ts';
import type { ExchangeAdapter } from './adapter.ts';
import { binance } from './binance/adapter.ts';
import { coinbase } from './coinbase/adapter.ts';
import { okx } from './okx/adapter.ts';

export type Adapters = ReadonlyMap<Exchange, ExchangeAdapter>;

/** Every exchange, in display order. A new one is a folder beside these and a name here. */
export const ADAPTERS: Adapters = new Map([binance, coinbase, okx].map((adapter) => [adapter.exchange, adapter]));
