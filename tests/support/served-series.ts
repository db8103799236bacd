import { fewerColumns, type RecordedSeries } from '../../src/simulation/recorded-series.ts';
import type { StandIn } from '../../src/simulation/stand-ins/stand-ins.ts';

/** A series as the venue serves it: the truth that stored candles are compared with. */
export const asServed = (standIn: StandIn, recorded: RecordedSeries): RecordedSeries => ({
  ...recorded,
  columns: fewerColumns(standIn.columns, recorded.columns),
  rows: recorded.rows.filter((row) => standIn.emptyCandles === 'flat' || Number(row[5]) > 0),
});
