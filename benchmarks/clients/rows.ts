import { join } from 'node:path';
import { venueSymbolOf } from '../workload.ts';

/** A range that a client knows it did not receive. */
export interface ReportedGap {
  readonly symbol: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly why: string;
}

/** The rows that a client received of one symbol, as doubles. */
export const rowsFile = (directory: string, symbol: string): string => join(directory, `${venueSymbolOf(symbol)}.f64`);
/** Open time, open, high, low, close, volume. */
export const NUMBERS_PER_ROW = 6;
