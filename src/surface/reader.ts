import { resolve } from 'node:path';
import { realClock } from '../kernel/clock.ts';
import { openDuckdbParquet } from '../kernel/duckdb-parquet.ts';
import { realFiles } from '../kernel/files.ts';
import type { Series } from '../market/candle.ts';
import { dayRange, type Day } from '../market/partition.ts';
import { lakeAt } from '../data/lake/layout.ts';
import type { SilverRow } from '../data/lake/candle-columns.ts';
import { readCandles } from '../engine/candle-reader.ts';

/** Reads stored candles; needs neither state nor network, and never writes to the lake. */
export interface CandleReader {
  /** Candles of one series, oldest first; `from` and `to` are UTC dates, both included. */
  candles(query: Series & { readonly from: Day; readonly to: Day }): Promise<readonly SilverRow[]>;
  close(): void;
}

/** Opens the lake below a data directory for reading. */
export function openReader(dataDir: string): CandleReader {
  const lake = lakeAt(resolve(dataDir));
  const parquet = openDuckdbParquet({ scratchDirectory: lake.scratch, clock: realClock });
  return {
    candles: ({ from, to, ...series }) => readCandles({ ports: { files: realFiles, parquet }, lake }, { series, range: { fromMs: dayRange(from).fromMs, toMs: dayRange(to).toMs } }),
    close: () => parquet.close(),
  };
}
