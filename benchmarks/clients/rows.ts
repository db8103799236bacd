import { join } from 'node:path';
import { venueSymbolOf } from '../workload.ts';

/** A stretch that a client knows it did not get. */
export interface ReportedGap {
  readonly symbol: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly why: string;
}

/** What a client got of one symbol: doubles, row after row. */
export const rowsFile = (directory: string, symbol: string): string => join(directory, `${venueSymbolOf(symbol)}.f64`);
/** Open time, open, high, low, close, volume. */
export const NUMBERS_PER_ROW = 6;
