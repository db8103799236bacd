import type { Cell } from '../../domain/candle.ts';
import { candlesIn, type TimeRange } from '../../domain/range.ts';
import { dayRange, dueAtMs } from '../../domain/partition.ts';
import type { Account } from '../../domain/account.ts';
import type { Gap } from '../../domain/gap.ts';
import { cellsOfSeries } from '../../state/cells.ts';
import { faultsAbout, type FaultEntry } from '../../state/fault-log.ts';
import { removedSymbols, type RemovedSymbol } from '../../state/symbols.ts';
import { verdictsOf } from '../../state/verdicts.ts';
import { responsesAbout, type PageEntry } from '../../lake/bronze/page-index.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { accountOf } from '../core/range-account.ts';
import { venueOf } from '../core/exchanges.ts';

/** A gap with its evidence. */
export interface ExplainedGap extends Gap {
  readonly candles: number;
  readonly nextAttemptAtMs: number | null;
  /** Number of accepted responses that cover this time without these candles. */
  readonly responses: number;
  /** The newest fault of this time; null without one. */
  readonly lastFault: FaultEntry | null;
  /** The evidence behind the verdict; null without a verdict. */
  readonly evidence: unknown;
}

/** One cell: its account, each gap with its evidence, and every response about it. */
export interface CellReport {
  readonly cell: Cell;
  readonly dueAtMs: number;
  /** Null for a symbol that its exchange never listed: no account counts it. */
  readonly account: Account | null;
  /** Ingests after which the cell still had gaps; 0 for a complete cell and for one never requested. */
  readonly attempts: number;
  readonly notBeforeMs: number | null;
  readonly gaps: readonly ExplainedGap[];
  /** Oldest first. */
  readonly responses: readonly PageEntry[];
  /** Why the symbol is not on the active list; null when it is. */
  readonly removed: RemovedSymbol | null;
}

const FAULTS_MAX = 1_000;
const RESPONSES_MAX = 1_000;

export async function cellReport(pipeline: Pipeline, cell: Cell): Promise<CellReport> {
  const { exchange, symbol, interval, day } = cell;
  const range = dayRange(day);
  const found = await pipeline.ports.store.read(function* cellReport() {
    return {
      responses: yield* responsesAbout(cell, range, RESPONSES_MAX),
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
    attempts: found.known?.attempts ?? 0,
    notBeforeMs: found.known?.notBeforeMs ?? null,
    gaps: [...(account?.gaps('all') ?? [])].map((gap) => ({
      ...gap,
      candles: candlesIn(gap, interval),
      responses: found.responses.filter(({ rejected, range: covered }) => rejected === null && overlaps(covered, gap))
        .length,
      lastFault: found.faults.find((fault) => fault.range !== null && overlaps(fault.range, gap)) ?? null,
      evidence: found.verdicts.find((verdict) => overlaps(verdict, gap))?.evidence ?? null,
    })),
    responses: found.responses,
    removed: found.removed.find((one) => one.exchange === exchange && one.symbol === symbol) ?? null,
  };
}

const overlaps = (a: TimeRange, b: TimeRange): boolean => a.fromMs < b.toMs && b.fromMs < a.toMs;
