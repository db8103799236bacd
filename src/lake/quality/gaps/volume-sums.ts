import type { TimeRange } from '../../../domain/range.ts';
import type { TruncatedCandle } from '../../../domain/account.ts';
import type { VolumeSum } from './series-record.ts';

interface VolumeRow {
  readonly openTimeMs: number;
  readonly volume: number;
}

/** Rows of one series at two lengths, as delivered, valid or not: the longer one a multiple of the other. For venues whose candles add up exactly. */
export interface IntervalPair {
  readonly stored: readonly VolumeRow[];
  readonly longer: readonly VolumeRow[];
  readonly longerStepMs: number;
  /** What was answered about the stored ones; a longer candle that is not answered for as a whole is passed over. */
  readonly answered: readonly TimeRange[];
  /** Longer candles that were cut: after the cut they hold less than the short ones may. */
  readonly cut: readonly TruncatedCandle[];
}

/** Volumes are sums of decimals kept as doubles. Relative. */
const SUM_TOLERANCE = 1e-6;

/** The longer candle holds volume that no stored candle has: trades happened in those that are missing. */
export const isTradeLost = ({ longer, stored }: Pick<VolumeSum, 'longer' | 'stored'>): boolean =>
  longer - stored > longer * SUM_TOLERANCE;

/** The stored candles hold more than the longer one, which is not possible: it was kept before it had closed. */
export const isLongerUnfinished = ({ longer, stored }: Pick<VolumeSum, 'longer' | 'stored'>): boolean =>
  stored - longer > stored * SUM_TOLERANCE;

/** Each longer candle beside the stored candles inside it. */
export function volumeSums({ stored, longer, longerStepMs, answered, cut }: IntervalPair): VolumeSum[] {
  const volumes = new Map<number, number>();
  for (const { openTimeMs, volume } of stored) {
    const fromMs = Math.floor(openTimeMs / longerStepMs) * longerStepMs;
    volumes.set(fromMs, (volumes.get(fromMs) ?? 0) + volume);
  }
  const isCutAt = new Set(cut.map(({ openTimeMs }) => openTimeMs));
  return longer
    .filter(({ openTimeMs }) => !isCutAt.has(openTimeMs))
    .map(({ openTimeMs, volume }) => ({
      fromMs: openTimeMs,
      toMs: openTimeMs + longerStepMs,
      longer: volume,
      stored: volumes.get(openTimeMs) ?? 0,
    }))
    .filter((sum) => answered.some((range) => range.fromMs <= sum.fromMs && range.toMs >= sum.toMs));
}
