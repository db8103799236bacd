import type { Series } from '../../domain/candle.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import type { TimeRange } from '../../domain/range.ts';
import type { FailedRange } from '../../domain/gap.ts';
import { bronzeAsset } from '../../domain/assets.ts';
import type { AssetReport, RunOutcome } from '../../state/runs.ts';
import { isolateSymbols, type SymbolOutcome } from '../../resilience/isolation/symbol-outcome.ts';
import { quorumOf } from '../../resilience/isolation/quorum.ts';
import type { Fault } from '../../errors/errors.ts';
import type { FaultCode } from '../../errors/table.ts';
import type { Page } from '../../exchanges/adapter.ts';
import { fetchSeries, type SeriesFetch } from './series-fetch.ts';
import { escalateExchange } from './exchange-event.ts';
import { endsAsset, learnLimits, type QueryContext } from './exchange-query.ts';

/** One series to fetch. An empty `toFetch` succeeds without a request. */
export interface SeriesWork {
  readonly series: Series;
  readonly toFetch: readonly TimeRange[];
  /** The pages of `toFetch`. */
  readonly pages: readonly Page[];
  /** Ranges not requested, because the venue set a wait or because healing comes later. */
  readonly withheld: readonly FailedRange[];
}

export interface BronzeResult {
  readonly report: AssetReport;
  /** Ranges that could not be fetched, by symbol; a symbol without an entry got everything. */
  readonly failed: ReadonlyMap<MarketSymbol, readonly FailedRange[]>;
  /** Symbols missing from the venue's own list; they are in no account. */
  readonly neverListed: ReadonlySet<MarketSymbol>;
  /** True when at least one page of the venue was fetched. */
  readonly wasAnswered: boolean;
  /** One for each failed symbol, in the order of the symbols; a fault escalated to the whole venue comes first. */
  readonly faults: readonly Fault[];
  /** The fault that ended the asset for every symbol, if one did. */
  readonly endedBy: Fault | null;
}

/** Symbols of one venue fetched concurrently. */
const SYMBOLS_CONCURRENT_MAX = 16;

/** Fetches every series of one venue. A failed symbol costs only itself, up to the quorum of the fault table. */
export async function materialiseBronze(context: QueryContext, work: readonly SeriesWork[]): Promise<BronzeResult> {
  const bySymbol = new Map(work.map((one) => [one.series.symbol, one]));
  const symbolsRequested = work.filter(({ toFetch }) => toFetch.length > 0).length;
  const refused = symbolsRequested === 0 ? null : await learnLimits(context);
  const outcomes =
    refused !== null
      ? []
      : await isolateSymbols(
          [...bySymbol.keys()],
          { concurrencyMax: SYMBOLS_CONCURRENT_MAX, signal: context.signal, endsAsset },
          (symbol, { endedBy: ended }) => {
            const { series, pages } = bySymbol.get(symbol) as SeriesWork;
            return fetchSeries(context, { series, pages, endedBy: ended });
          },
        );
  const endedBy =
    refused ??
    outcomes.flatMap((outcome) => (!outcome.ok && endsAsset(outcome.fault) ? [outcome.fault] : []))[0] ??
    null;
  const failed = new Map<MarketSymbol, readonly FailedRange[]>();
  for (const { series, toFetch, withheld } of work) {
    const ranges = [
      ...withheld,
      ...failedRanges(
        outcomes.find((outcome) => outcome.symbol === series.symbol),
        toFetch,
        endedBy,
      ),
    ];
    if (ranges.length > 0) failed.set(series.symbol, ranges);
  }
  const wasAnswered = outcomes.some((outcome) => outcome.ok && outcome.value.pagesAnswered > 0);
  return {
    report: reportOf(context, { work, outcomes, failed, endedBy }),
    failed,
    wasAnswered,
    neverListed: new Set(
      [...failed]
        .filter(([, ranges]) => ranges.some((range) => range.code === 'SYMBOL_INVALID'))
        .map(([symbol]) => symbol),
    ),
    faults:
      refused === null ? await escalateExchange(context, outcomes.flatMap(failuresOf), symbolsRequested) : [refused],
    endedBy,
  };
}

const failuresOf = (
  outcome: SymbolOutcome<SeriesFetch>,
): { readonly symbol: MarketSymbol; readonly fault: Fault }[] => {
  const fault = outcome.ok ? outcome.value.failures[0]?.fault : outcome.fault;
  return fault === undefined ? [] : [{ symbol: outcome.symbol, fault }];
};

function failedRanges(
  outcome: SymbolOutcome<SeriesFetch> | undefined,
  toFetch: readonly TimeRange[],
  endedBy: Fault | null,
): FailedRange[] {
  if (outcome?.ok)
    return outcome.value.failures.map(({ range, fault, notBeforeMs }) => ({ range, code: fault.code, notBeforeMs }));
  const code = outcome?.fault.code ?? endedBy?.code;
  return code === undefined ? [] : toFetch.map((range) => ({ range, code, notBeforeMs: null }));
}

type AssetFindings = {
  readonly work: readonly SeriesWork[];
  readonly outcomes: readonly SymbolOutcome<SeriesFetch>[];
  readonly failed: BronzeResult['failed'];
  readonly endedBy: Fault | null;
};

function reportOf(context: QueryContext, { work, outcomes, failed, endedBy }: AssetFindings): AssetReport {
  const fetches = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
  const sum = (of: (fetch: SeriesFetch) => number): number => fetches.reduce((total, fetch) => total + of(fetch), 0);
  const errors: Record<string, FaultCode> = {};
  for (const [symbol, [range]] of failed) if (range) errors[symbol] = range.code;
  const parked = [...failed]
    .filter(([, ranges]) => ranges.some((range) => range.notBeforeMs !== null))
    .map(([symbol]) => symbol);
  const neverListed = Object.values(errors).filter((code) => code === 'SYMBOL_INVALID').length;
  const lost = failed.size - parked.length - neverListed;
  return {
    asset: bronzeAsset(context.adapter.exchange),
    outcome: outcomeOf({
      quorum: quorumOf(work.length - neverListed, lost),
      parked: parked.length,
      failed: failed.size,
      ended: endedBy !== null,
    }),
    status: endedBy === null ? 'success' : 'failed',
    input_rows: sum((fetch) => fetch.rowsDelivered),
    output_rows: sum((fetch) => fetch.rowsStored),
    removed_rows: sum((fetch) => fetch.rowsInvalid),
    removal_rate:
      sum((fetch) => fetch.rowsDelivered) === 0
        ? 0
        : sum((fetch) => fetch.rowsInvalid) / sum((fetch) => fetch.rowsDelivered),
    validation_errors: sum((fetch) => fetch.rowsInvalid),
    validation_warnings: sum((fetch) => fetch.duplicates),
    symbols_ok: work.length - failed.size,
    symbols_failed: failed.size,
    errors,
  };
}

function outcomeOf(found: {
  quorum: ReturnType<typeof quorumOf>;
  parked: number;
  failed: number;
  ended: boolean;
}): RunOutcome {
  if (found.ended || found.quorum === 'lost') return 'failed';
  if (found.failed === 0) return 'complete';
  return found.parked === found.failed ? 'parked' : 'partial';
}
