/** A venue by the name of its folder in `data/exchanges`: `binance`, `coinbase`, `okx`. Which there are, the registry there knows. */
export type Exchange = string;
