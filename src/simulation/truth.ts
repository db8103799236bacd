import type { Candle } from '../domain/candle.ts';
import type { RecordedSeries, RecordedCandle } from './recorded-series.ts';

/** How stored candles compare with the recording they came from. All zero: every candle is accounted for. */
export interface Comparison {
  readonly recorded: number;
  readonly lost: number;
  readonly doubled: number;
  readonly invented: number;
  /** Stored with a value that is not the nearest double of the recorded decimal. */
  readonly wrong: number;
}

/** Compares stored rows with the recording, candle by candle. `stored` and `recorded` cover the same range. */
export function compareWithTruth(
  stored: readonly Candle[],
  recorded: readonly RecordedCandle[],
  columns: RecordedSeries['columns'],
): Comparison {
  const truth = new Map(recorded.map((row) => [row[0], row]));
  const seen = new Set<number>();
  let [doubled, invented, wrong] = [0, 0, 0];
  for (const row of stored) {
    const expected = truth.get(row.openTimeMs);
    if (seen.has(row.openTimeMs)) doubled += 1;
    else if (expected === undefined) invented += 1;
    else if (!isSame(row, expected, columns)) wrong += 1;
    seen.add(row.openTimeMs);
  }
  return {
    recorded: truth.size,
    lost: [...truth.keys()].filter((openTimeMs) => !seen.has(openTimeMs)).length,
    doubled,
    invented,
    wrong,
  };
}

function isSame(
  row: Candle,
  [, open, high, low, close, volume, , quoteVolume, trades]: RecordedCandle,
  columns: RecordedSeries['columns'],
): boolean {
  const prices =
    row.open === Number(open) &&
    row.high === Number(high) &&
    row.low === Number(low) &&
    row.close === Number(close) &&
    row.volume === Number(volume);
  return (
    prices &&
    (columns === 'first-six' || row.quoteVolume === Number(quoteVolume)) &&
    (columns !== 'all' || row.trades === trades)
  );
}
