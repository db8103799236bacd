/**
 * An exchange by the name of its folder in `src/exchanges`: `binance`, `coinbase`, `okx`; the registry there lists
 * them.
 */
export type Exchange = string;
