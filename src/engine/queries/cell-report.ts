import type { Cell } from '../../domain/candle.ts';
import { candlesIn, type TimeRange } from '../../domain/range.ts';
import { dayRange, dueAtMs } from '../../domain/partition.ts';
import type { Account, Gap } from '../../domain/account.ts';
import { cellsOfSeries } from '../../state/cells.ts';
import { faultsAbout, type FaultEntry } from '../../state/fault-log.ts';
import { removedSymbols, type RemovedSymbol } from '../../state/symbols.ts';
import { verdictsOf } from '../../state/verdicts.ts';
import { responsesAbout, type PageEntry } from '../../lake/bronze/page-index.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { accountOf } from '../core/range-account.ts';
import { venueOf } from '../core/exchanges.ts';

/** A gap and what is known about it. */
export interface ExplainedGap extends Gap {
  readonly candles: number;
  readonly nextAttemptAtMs: number | null;
  /** Answers about this time that did not bring it. */
  readonly answers: number;
  /** The last thing that went wrong there; null when nothing did. */
  readonly lastFault: FaultEntry | null;
  /** What it was judged from; null while nobody judged it. */
  readonly evidence: unknown;
}

/** One cell: its account, each gap with its evidence, and every answer about it. */
export interface CellReport {
  readonly cell: Cell;
  readonly dueAtMs: number;
  /** Null for a symbol its venue never listed: it is in no account. */
  readonly account: Account | null;
  /** How often it was asked and came out with gaps; 0 when it is whole or nobody asked. */
  readonly looks: number;
  readonly notBeforeMs: number | null;
  readonly gaps: readonly ExplainedGap[];
  /** Oldest first. */
  readonly answers: readonly PageEntry[];
  /** Why the symbol is off the active list; null when it is on it. */
  readonly removed: RemovedSymbol | null;
}

const FAULTS_MAX = 1_000;
const ANSWERS_MAX = 1_000;

export async function cellReport(pipeline: Pipeline, cell: Cell): Promise<CellReport> {
  const { exchange, symbol, interval, day } = cell;
  const range = dayRange(day);
  const found = await pipeline.ports.store.read('cellStory', function* () {
    return {
      answers: yield* responsesAbout(cell, range, ANSWERS_MAX),
      faults: yield* faultsAbout(cell, range, FAULTS_MAX),
      removed: yield* removedSymbols(),
      verdicts: yield* verdictsOf(cell, range),
      known: (yield* cellsOfSeries(cell, { start: day, end: day }))[0] ?? null,
    };
  });
  const [account] = await accountOf(pipeline, {
    range,
    markets: new Map([[exchange, [symbol]]]),
    intervals: [interval],
  });
  return {
    cell: { exchange, symbol, interval, day },
    dueAtMs: dueAtMs(day, venueOf(pipeline.venues, exchange).adapter.graceMs),
    account: account?.account ?? null,
    looks: found.known?.attempts ?? 0,
    notBeforeMs: found.known?.notBeforeMs ?? null,
    gaps: [...(account?.gaps('all') ?? [])].map((gap) => ({
      ...gap,
      candles: candlesIn(gap, interval),
      answers: found.answers.filter((response) => response.rejected === null && overlaps(response.range, gap)).length,
      lastFault: found.faults.find((fault) => fault.range !== null && overlaps(fault.range, gap)) ?? null,
      evidence: found.verdicts.find((verdict) => overlaps(verdict, gap))?.evidence ?? null,
    })),
    answers: found.answers,
    removed: found.removed.find((one) => one.exchange === exchange && one.symbol === symbol) ?? null,
  };
}

const overlaps = (a: TimeRange, b: TimeRange): boolean => a.fromMs < b.toMs && b.fromMs < a.toMs;
