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

/** One series and a range of UTC dates such as `2024-06-01`, both inclusive. */
export interface CandleQuery extends Series {
  readonly from: Day;
  readonly to: Day;
}

/** Reads stored candles from silver. Needs neither state nor network, and writes nothing to the lake. */
export interface CandleReader {
  /**
   * Candles of one series, oldest first; empty when none is stored. `openTimeMs` is epoch milliseconds, prices and
   * volumes are doubles. Gaps are not filled: `candlekeep check-gaps` lists them with their reasons.
   * @throws ConfigurationError (CONFIG_INVALID) for an unknown exchange or interval, or a malformed symbol or date.
   * @throws ParquetUnreadableError when a file is damaged; Node's error when the disk fails.
   */
  candles(query: CandleQuery): Promise<readonly SilverRow[]>;
  /** Releases DuckDB. The reader cannot be used afterwards. */
  close(): void;
}

/** Opens a data directory for reading. A directory without candles gives empty results. */
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
