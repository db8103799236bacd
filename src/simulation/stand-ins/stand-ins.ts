import type { Exchange } from '../../domain/exchange.ts';
import { standInBinance } from './stand-in-binance.ts';
import { standInCoinbase } from './stand-in-coinbase.ts';
import { standInOkx } from './stand-in-okx.ts';
import type { StandInExchange, StandInOptions } from './stand-in-exchange.ts';
import type { KnownColumns } from '../recorded-series.ts';

/** A stand-in and the columns that its venue serves. */
export interface StandIn {
  readonly open: (options: StandInOptions) => StandInExchange;
  readonly columns: KnownColumns;
  /** Candles without a trade: sent as a flat row, or omitted. */
  readonly emptyCandles: 'flat' | 'omitted';
}

/** One stand-in for each exchange. */
export const STAND_INS: ReadonlyMap<Exchange, StandIn> = new Map<Exchange, StandIn>([
  ['binance', { open: standInBinance, columns: 'all', emptyCandles: 'flat' }],
  ['coinbase', { open: standInCoinbase, columns: 'first-six', emptyCandles: 'omitted' }],
  ['okx', { open: standInOkx, columns: 'quote-volume', emptyCandles: 'flat' }],
]);
