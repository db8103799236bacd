import { resolve } from 'node:path';
import { realClock } from '../platform/node/system-clock.ts';
import { openDuckdbParquet } from '../platform/node/duckdb-parquet.ts';
import { realFiles } from '../platform/node/disk-files.ts';
import type { Series } from '../domain/candle.ts';
import { dayRange, type Day } from '../domain/partition.ts';
import { lakeAt } from '../lake/layout.ts';
import type { SilverRow } from '../lake/candle-columns.ts';
import { readCandles } from '../engine/queries/candle-reader.ts';
import { readDate, readExchange, readInterval, readSymbol } from '../configuration/setting-values.ts';

/** One series, and UTC dates (`2024-06-01`), both included. */
export interface CandleQuery extends Series {
  readonly from: Day;
  readonly to: Day;
}

/** Reads stored candles; needs neither state nor network, and never writes to the lake. */
export interface CandleReader {
  /**
   * Candles of one series, oldest first, with open times in epoch milliseconds; empty where nothing is
   * stored. Holes are not filled: `candlekeep check-gaps` tells the reason of each.
   * @throws ConfigurationError (CONFIG_INVALID) for an exchange, symbol, interval or date that is none.
   */
  candles(query: CandleQuery): Promise<readonly SilverRow[]>;
  close(): void;
}

/** Opens the lake below a data directory for reading. */
export function openReader(dataDir: string): CandleReader {
  const lake = lakeAt(resolve(dataDir));
  const parquet = openDuckdbParquet({ scratchDirectory: lake.scratch, clock: realClock });
  return {
    candles: async (query) => {
      const series: Series = {
        exchange: readExchange(query.exchange, 'exchange'),
        symbol: readSymbol(query.symbol, 'symbol').symbol,
        interval: readInterval(query.interval, 'interval'),
      };
      const range = {
        fromMs: dayRange(readDate(query.from, 'from')).fromMs,
        toMs: dayRange(readDate(query.to, 'to')).toMs,
      };
      return readCandles({ ports: { files: realFiles, parquet }, lake }, { series, range });
    },
    close: () => parquet.close(),
  };
}
