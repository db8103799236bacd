import type { AssetKind } from '../../domain/assets.ts';
import type { Exchange } from '../../domain/exchange.ts';
import type { Interval } from '../../domain/interval.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import type { Run, RunTrigger } from '../../state/runs.ts';
import type { FaultRecord } from '../../errors/fault-record.ts';
import type { DayRange } from './chunks.ts';
import type { Ending } from './ending.ts';
import type { WaitPolicy, Selection } from '../../state/run-request.ts';

/** The work a command requests. It becomes one run per interval and chunk of days. */
export interface WorkRequest {
  readonly days: DayRange;
  readonly markets: ReadonlyMap<Exchange, readonly MarketSymbol[]>;
  readonly intervals: readonly Interval[];
  readonly selection: Selection;
  readonly waitPolicy: WaitPolicy;
  /** Which assets are materialised. Bronze without silver changes no account. */
  readonly assets: readonly AssetKind[];
  readonly trigger: RunTrigger;
  readonly tags: Readonly<Record<string, string>>;
}

/** The caller's side of work in progress. */
export interface Control {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export type Progress =
  | {
      readonly type: 'run';
      readonly runId: string;
      readonly exchange: Exchange;
      readonly interval: Interval;
      readonly days: DayRange;
      readonly run: number;
      readonly runs: number;
      readonly pages: number;
    }
  | {
      readonly type: 'page';
      readonly runId: string;
      readonly exchange: Exchange;
      readonly symbol: MarketSymbol;
      readonly pagesDone: number;
      readonly pages: number;
    }
  | { readonly type: 'step'; readonly runId: string; readonly asset: string; readonly detail: string };

/** The result of a request: its runs, what is still pending in its range, and how it ended. */
export interface WorkResult {
  readonly runs: readonly Run[];
  /** Pending candles in the range. */
  readonly pending: number;
  readonly ending: Ending;
  /** The failure that decided the ending; null for `done` and `partial`. */
  readonly error: FaultRecord | null;
  /** The earliest time pending candles are requested again; null when nothing is pending. */
  readonly nextAttemptAtMs: number | null;
}

/** `--dry-run`: the cost of a request at one exchange and interval. */
export interface WorkEstimate {
  readonly exchange: Exchange;
  readonly interval: Interval;
  readonly days: DayRange;
  readonly runs: number;
  /** Series with something to request. */
  readonly series: number;
  readonly candles: number;
  readonly requests: number;
  readonly weight: number;
  /** Least time at our share of the exchange's own limits. Unit: milliseconds. */
  readonly floorMs: number;
}

export interface WorkPlan {
  readonly estimates: readonly WorkEstimate[];
  /** Without weight, whose unit differs by exchange. Exchanges run in parallel: the slowest decides `floorMs`. */
  readonly total: Pick<WorkEstimate, 'runs' | 'series' | 'candles' | 'requests' | 'floorMs'>;
}
