import type { Exchange } from '../../domain/exchange.ts';
import { standInBinance } from './stand-in-binance.ts';
import { standInCoinbase } from './stand-in-coinbase.ts';
import { standInOkx } from './stand-in-okx.ts';
import type { StandInExchange, StandInOptions } from './stand-in-exchange.ts';
import type { KnownColumns } from '../recorded-series.ts';

/** A stand-in and what of a kline its venue tells. */
export interface StandIn {
  readonly open: (options: StandInOptions) => StandInExchange;
  readonly columns: KnownColumns;
  /** How candles without a trade come: as a flat row, or not at all. */
  readonly emptyCandles: 'flat' | 'omitted';
}

/** One for each exchange. */
export const STAND_INS: ReadonlyMap<Exchange, StandIn> = new Map<Exchange, StandIn>([
  ['binance', { open: standInBinance, columns: 'all', emptyCandles: 'flat' }],
  ['coinbase', { open: standInCoinbase, columns: 'first-six', emptyCandles: 'omitted' }],
  ['okx', { open: standInOkx, columns: 'quote-volume', emptyCandles: 'flat' }],
]);
