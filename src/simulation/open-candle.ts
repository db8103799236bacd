import type { RecordedCandle } from './recorded-series.ts';

/** Rows as a venue serves them at `nowMs`: none of the future, and the open candle with its trades so far. */
export const seenAt = (rows: readonly RecordedCandle[], nowMs: number): readonly RecordedCandle[] =>
  rows.filter((row) => row[0] <= nowMs).map((row) => (row[6] >= nowMs ? openCandle(row, nowMs) : row));

/** Volumes in proportion to the elapsed time; the close is still the open. */
function openCandle(row: RecordedCandle, nowMs: number): RecordedCandle {
  const share = Math.max(0, (nowMs - row[0]) / (row[6] + 1 - row[0]));
  const partOf = (text: string): string => (Number(text) * share).toFixed(8);
  return row
    .with(4, row[1])
    .with(5, partOf(row[5]))
    .with(7, partOf(row[7]))
    .with(8, Math.floor(row[8] * share)) as unknown as RecordedCandle;
}
