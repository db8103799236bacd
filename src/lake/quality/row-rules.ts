import type { Candle, Series } from '../../domain/candle.ts';
import { intervalMs } from '../../domain/interval.ts';

/** The input of a rule. */
interface RuleInput {
  readonly row: Candle;
  readonly stepMs: number;
  readonly fetchedAtMs: number;
}

interface RowRule {
  /** `error` sends the row to quarantine, `warning` flags a row that is kept. */
  readonly severity: 'error' | 'warning';
  readonly says: string;
  readonly isBroken: (input: RuleInput) => boolean;
}

/** Binance states when a candle ended: before the end of its interval, trading was halted. `stepMs`: candle length. */
export const isTruncated = (row: Pick<Candle, 'openTimeMs' | 'closeTimeMs'>, stepMs: number): boolean =>
  row.closeTimeMs !== null && row.closeTimeMs < row.openTimeMs + stepMs - 1;

/** Volume-weighted prices are computed from rounded sums. Relative. */
const VWAP_TOLERANCE = 1e-6;

/**
 * Rules for a single row. No error rule was broken in five million recorded rows of real venues: a broken rule means
 * a fault of the exchange or of our reader.
 */
export const ROW_RULES = {
  'not-finite': {
    severity: 'error',
    says: 'a value is not a finite number',
    isBroken: ({ row }) =>
      ![row.open, row.high, row.low, row.close, row.volume].every(Number.isFinite) ||
      ![row.quoteVolume ?? 0, row.trades ?? 0].every(Number.isFinite),
  },
  'price-not-positive': {
    severity: 'error',
    says: 'a price is zero or negative',
    isBroken: ({ row }) => [row.open, row.high, row.low, row.close].some((price) => price <= 0),
  },
  'ohlc-order': {
    severity: 'error',
    says: 'high and low do not enclose open and close',
    isBroken: ({ row }) => row.high < Math.max(row.open, row.close) || row.low > Math.min(row.open, row.close),
  },
  'volume-negative': {
    severity: 'error',
    says: 'a volume or a number of trades is negative',
    isBroken: ({ row }) => row.volume < 0 || (row.quoteVolume ?? 0) < 0 || (row.trades ?? 0) < 0,
  },
  'vwap-outside-range': {
    severity: 'error',
    says: 'quote volume / volume lies outside low..high: a unit is wrong',
    isBroken: ({ row }) => {
      if (row.quoteVolume === null || row.volume <= 0) return false;
      const vwap = row.quoteVolume / row.volume;
      return vwap < row.low * (1 - VWAP_TOLERANCE) || vwap > row.high * (1 + VWAP_TOLERANCE);
    },
  },
  'off-grid': {
    severity: 'error',
    says: 'the open time is not a multiple of the interval',
    isBroken: ({ row, stepMs }) => row.openTimeMs % stepMs !== 0,
  },
  unfinished: {
    severity: 'error',
    says: 'the candle had not closed when it was fetched',
    isBroken: ({ row, stepMs, fetchedAtMs }) => row.openTimeMs + stepMs > fetchedAtMs,
  },
  'cut-candle': {
    severity: 'warning',
    says: 'the venue closed the candle before its interval was over: trading was halted',
    isBroken: ({ row, stepMs }) => isTruncated(row, stepMs),
  },
  'trades-without-volume': {
    severity: 'warning',
    says: 'there are trades but no volume, or volume but no trades',
    isBroken: ({ row }) => row.trades !== null && row.trades > 0 !== row.volume > 0,
  },
} as const satisfies Readonly<Record<string, RowRule>>;

export type RowRuleId = keyof typeof ROW_RULES;

/** Rules a row breaks, in the order of the table. */
export interface RowValidation {
  readonly errors: readonly RowRuleId[];
  readonly warnings: readonly RowRuleId[];
}

const RULES = Object.entries(ROW_RULES) as readonly (readonly [RowRuleId, RowRule])[];

/** Validates one row by itself. `fetchedAtMs`: when its response arrived, in the venue's time. */
export function validateRow(
  row: Candle,
  series: Series,
  { fetchedAtMs }: { readonly fetchedAtMs: number },
): RowValidation {
  const input = { row, stepMs: intervalMs(series.interval), fetchedAtMs };
  const broken = RULES.filter(([, rule]) => rule.isBroken(input));
  return {
    errors: broken.filter(([, rule]) => rule.severity === 'error').map(([id]) => id),
    warnings: broken.filter(([, rule]) => rule.severity === 'warning').map(([id]) => id),
  };
}
