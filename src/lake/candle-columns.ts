import type { Column, ColumnValue } from '../platform/ports/parquet.ts';
import type { Candle } from '../domain/candle.ts';
import type { Exchange } from '../domain/exchange.ts';
import type { Interval } from '../domain/interval.ts';
import type { MarketSymbol } from '../domain/symbol.ts';

/** A candle with its series, as silver stores it. */
export interface SilverRow extends Candle {
  readonly exchange: Exchange;
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
}

/** Columns of silver and gold, in file order. Sorted by symbol, then timestamp. */
export function silverColumns(rows: readonly SilverRow[]): Column[] {
  return [
    { name: 'timestamp', type: 'timestamp', values: rows.map((row) => row.openTimeMs) },
    { name: 'exchange', type: 'string', values: rows.map((row) => row.exchange) },
    { name: 'symbol', type: 'string', values: rows.map((row) => row.symbol) },
    { name: 'interval', type: 'string', values: rows.map((row) => row.interval) },
    { name: 'open', type: 'double', values: rows.map((row) => row.open) },
    { name: 'high', type: 'double', values: rows.map((row) => row.high) },
    { name: 'low', type: 'double', values: rows.map((row) => row.low) },
    { name: 'close', type: 'double', values: rows.map((row) => row.close) },
    { name: 'volume', type: 'double', values: rows.map((row) => row.volume) },
    { name: 'quote_volume', type: 'double', values: rows.map((row) => row.quoteVolume) },
    { name: 'trades', type: 'bigint', values: rows.map((row) => row.trades) },
  ];
}

export const bySymbolAndTime = (a: SilverRow, b: SilverRow): number =>
  a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : a.openTimeMs - b.openTimeMs;

/** Rows of a silver file. `closeTimeMs` is not stored, so it is null. */
export function silverRows(columns: ReadonlyMap<string, readonly ColumnValue[]>): SilverRow[] {
  const column = <T extends ColumnValue>(name: string): readonly T[] => {
    const values = columns.get(name);
    if (values === undefined) throw new TypeError(`the file has no column ${name}`);
    return values as readonly T[];
  };
  const [exchange, symbol, interval] = [
    column<Exchange>('exchange'),
    column<string>('symbol'),
    column<Interval>('interval'),
  ];
  const [open, high, low, close, volume] = [
    column<number>('open'),
    column<number>('high'),
    column<number>('low'),
    column<number>('close'),
    column<number>('volume'),
  ];
  const [quoteVolume, trades] = [column<number | null>('quote_volume'), column<number | null>('trades')];
  return column<number>('timestamp').map((openTimeMs, at) => ({
    openTimeMs,
    exchange: exchange[at] as Exchange,
    symbol: symbol[at] as string,
    interval: interval[at] as Interval,
    open: open[at] as number,
    high: high[at] as number,
    low: low[at] as number,
    close: close[at] as number,
    volume: volume[at] as number,
    quoteVolume: quoteVolume[at] ?? null,
    trades: trades[at] ?? null,
    closeTimeMs: null,
  }));
}
