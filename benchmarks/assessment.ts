import type { Candle } from '../src/domain/candle.ts';
import { DAY_MS } from '../src/domain/interval.ts';
import { compareWithTruth } from '../src/simulation/truth.ts';
import type { KnownColumns } from '../src/simulation/recorded-series.ts';
import type { ReportedGap } from './clients/rows.ts';
import { candlesOf, MINUTE_MS, venueSymbolOf, type Workload } from './workload.ts';

/** Candles of one symbol that open in one UTC day; each day occurs at most once. */
export interface StoredDay {
  readonly symbol: string;
  readonly dayMs: number;
  readonly candles: readonly Candle[];
}

/** What a contestant stored and reported. */
export interface ContestantResult {
  readonly stored: AsyncIterable<StoredDay> | Iterable<StoredDay>;
  /** Whether all columns were kept or only the first six. */
  readonly columns: KnownColumns;
  readonly reported: readonly ReportedGap[];
}

/** Unit of every figure: candles. */
export interface Assessment {
  readonly expected: number;
  readonly right: number;
  readonly lost: number;
  readonly wrong: number;
  readonly doubled: number;
  readonly invented: number;
  /** Wrong, or lost without an error or a reported gap. */
  readonly silent: number;
}

/** Compares a result with the truth candle by candle, count and values. */
export async function assess(
  workload: Pick<Workload, 'seed' | 'symbols' | 'range'>,
  result: ContestantResult,
): Promise<Assessment> {
  const truth = candlesOf(workload);
  const unseen = new Set(workload.symbols.flatMap((symbol) => daysOf(workload).map((dayMs) => keyOf(symbol, dayMs))));
  let [right, lost, wrong, doubled, invented, silent] = [0, 0, 0, 0, 0, 0];
  const assessDay = ({ symbol, dayMs, candles }: StoredDay): void => {
    unseen.delete(keyOf(symbol, dayMs));
    const rows = truth.select(
      { venueSymbol: venueSymbolOf(symbol), interval: '1m' },
      { fromMs: dayMs, toMs: dayMs + DAY_MS, rowsMax: Infinity, keep: 'oldest' },
    );
    const found = compareWithTruth(candles, rows, result.columns);
    const open = new Set(candles.map((candle) => candle.openTimeMs));
    const isReported = (timeMs: number): boolean =>
      result.reported.some((gap) => gap.symbol === symbol && gap.fromMs <= timeMs && timeMs < gap.toMs);
    right += found.recorded - found.lost - found.wrong;
    lost += found.lost;
    wrong += found.wrong;
    doubled += found.doubled;
    invented += found.invented;
    silent +=
      found.wrong + (found.lost === 0 ? 0 : rows.filter(([timeMs]) => !open.has(timeMs) && !isReported(timeMs)).length);
  };
  for await (const day of result.stored) assessDay(day);
  for (const key of unseen) {
    const [symbol = '', dayMs] = key.split(' ');
    assessDay({ symbol, dayMs: Number(dayMs), candles: [] });
  }
  return {
    expected: (workload.symbols.length * (workload.range.toMs - workload.range.fromMs)) / MINUTE_MS,
    right,
    lost,
    wrong,
    doubled,
    invented,
    silent,
  };
}

const keyOf = (symbol: string, dayMs: number): string => `${symbol} ${dayMs}`;

const daysOf = ({ range }: Pick<Workload, 'range'>): number[] =>
  Array.from({ length: (range.toMs - range.fromMs) / DAY_MS }, (_, at) => range.fromMs + at * DAY_MS);
