import { fewerColumns, type RecordedSeries } from '../../src/simulation/recorded-series.ts';
import type { StandIn } from '../../src/simulation/stand-ins/stand-ins.ts';

/** A series as the venue tells it: the truth that what was stored is held against. */
export const asServed = (standIn: StandIn, recorded: RecordedSeries): RecordedSeries => ({
  ...recorded,
  columns: fewerColumns(standIn.columns, recorded.columns),
  rows: recorded.rows.filter((row) => standIn.emptyCandles === 'flat' || Number(row[5]) > 0),
});
