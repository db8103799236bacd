import type { Exchange } from '../../market/exchange.ts';
import type { ExchangeAdapter } from './adapter.ts';
import { binance } from './binance/adapter.ts';

/** Every exchange this release can ask. A new one is a folder beside `binance/` and a line here. */
const ADAPTERS: Readonly<Partial<Record<Exchange, ExchangeAdapter>>> = { binance };

/** The adapter of an exchange; null for one that a later release brings. */
export const adapterOf = (exchange: Exchange): ExchangeAdapter | null => ADAPTERS[exchange] ?? null;
