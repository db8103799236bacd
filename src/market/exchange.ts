/** Exchanges (venues) Candlekeep knows, in the order they are shown. */
export const EXCHANGES = ['binance', 'coinbase', 'okx'] as const;
export type Exchange = (typeof EXCHANGES)[number];

export const isExchange = (text: string): text is Exchange => (EXCHANGES as readonly string[]).includes(text);

/** How long after the close of a day its candles may still change. Unit: milliseconds. */
export const GRACE_MS: Readonly<Record<Exchange, number>> = { binance: 5_000, coinbase: 30_000, okx: 60_000 };
