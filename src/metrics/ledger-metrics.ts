import { GAP_STATES } from '../domain/gap.ts';
import type { LedgerTotal } from '../state/cells.ts';
import { intervalMs, type Interval } from '../domain/interval.ts';
import type { Exchange } from '../domain/exchange.ts';
import type { Sample } from './exposition.ts';

/** Missing candles, from the account. */
export const gapMetrics = (totals: readonly LedgerTotal[]): Sample[] =>
  totals.flatMap((total) =>
    GAP_STATES.map(
      (reason): Sample => ({
        name: 'pipeline_gaps',
        labels: { exchange: total.exchange, interval: total.interval, reason },
        value: total[reason],
      }),
    ),
  );

/** The newest stored candle of one exchange and interval. */
export interface Watermark {
  readonly exchange: Exchange;
  readonly interval: Interval;
  /** Open time of the newest candle that at least half of the active symbols have; null when there is none. */
  readonly newestOpenMs: number | null;
  /** How long after its close the exchange may take to serve a candle. */
  readonly graceMs: number;
}

/**
 * How long the candle after the newest stored one has been due. The age of the newest candle would not do: a daily
 * candle is 24 hours old when the next one closes. Null when nothing was ever stored.
 */
export function latenessMs({ interval, newestOpenMs, graceMs }: Watermark, nowMs: number): number | null {
  if (newestOpenMs === null) return null;
  const nextClosesAtMs = newestOpenMs + 2 * intervalMs(interval);
  return Math.max(0, nowMs - nextClosesAtMs - graceMs);
}

export const watermarkMetrics = (watermarks: readonly Watermark[], nowMs: number): Sample[] =>
  watermarks.flatMap((watermark) => {
    const { exchange, interval, newestOpenMs } = watermark;
    const lateMs = latenessMs(watermark, nowMs);
    if (newestOpenMs === null || lateMs === null) return [];
    return [
      { name: 'pipeline_data_lateness_seconds', labels: { exchange, interval }, value: lateMs / 1_000 } as const,
      {
        name: 'pipeline_data_last_candle_timestamp_seconds',
        labels: { exchange, interval },
        value: newestOpenMs / 1_000,
      } as const,
    ];
  });
