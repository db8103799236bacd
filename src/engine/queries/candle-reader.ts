import { periodsIn } from '../../domain/partition.ts';
import type { Series } from '../../domain/candle.ts';
import type { TimeRange } from '../../domain/range.ts';
import { silverRows, type SilverRow } from '../../lake/candle-columns.ts';
import type { Ports } from '../../platform/ports/ports.ts';
import type { Lake } from '../../lake/layout.ts';

/** Silver candles of one series in `range`, oldest first; empty where nothing is stored. */
export async function readCandles(
  { ports, lake }: { readonly ports: Pick<Ports, 'files' | 'parquet'>; readonly lake: Lake },
  query: { readonly series: Series; readonly range: TimeRange },
): Promise<readonly SilverRow[]> {
  const { series, range } = query;
  if (range.toMs <= range.fromMs) return [];
  const periods = periodsIn(range, series.interval);
  const rows: SilverRow[] = [];
  for (const period of periods) {
    const path = lake.at(lake.silverFile({ exchange: series.exchange, interval: series.interval, period }));
    if (!ports.files.exists(path)) continue;
    const stored = silverRows(await ports.parquet.decode(ports.files.read(path)));
    rows.push(
      ...stored.filter(
        (row) => row.symbol === series.symbol && row.openTimeMs >= range.fromMs && row.openTimeMs < range.toMs,
      ),
    );
  }
  return rows;
}
