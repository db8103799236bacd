import type { AssetKind } from '../../domain/assets.ts';
import type { Exchange } from '../../domain/exchange.ts';
import type { Interval } from '../../domain/interval.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import type { Run, RunTrigger } from '../../state/runs.ts';
import type { FaultRecord } from '../../errors/fault-record.ts';
import type { DayRange } from './chunks.ts';
import type { Ending } from './ending.ts';
import type { WaitPolicy, Selection } from '../../state/run-request.ts';

/** What a command asks to be materialised. It becomes one run per interval and chunk of days. */
export interface WorkRequest {
  readonly days: DayRange;
  readonly markets: ReadonlyMap<Exchange, readonly MarketSymbol[]>;
  readonly intervals: readonly Interval[];
  readonly selection: Selection;
  readonly waitPolicy: WaitPolicy;
  /** Which assets are materialised; bronze without silver accounts for nothing new. */
  readonly assets: readonly AssetKind[];
  readonly trigger: RunTrigger;
  readonly tags: Readonly<Record<string, string>>;
}

/** What the caller holds in its hand while work is under way. */
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

/** What came of a request: every run, what is still pending in the asked range, and how it ended. */
export interface WorkResult {
  readonly runs: readonly Run[];
  /** Pending candles in the asked range. */
  readonly pending: number;
  readonly ending: Ending;
  /** Set when `ending` is neither `done` nor `partial`: the failure that decided it. */
  readonly error: FaultRecord | null;
  /** The earliest time pending candles are asked again; null when nothing is pending. */
  readonly nextAttemptAtMs: number | null;
}

/** `--dry-run`: what a request would ask of one venue at one candle length. */
export interface WorkEstimate {
  readonly exchange: Exchange;
  readonly interval: Interval;
  readonly days: DayRange;
  readonly runs: number;
  /** Series with something to ask. */
  readonly series: number;
  readonly candles: number;
  readonly requests: number;
  readonly weight: number;
  /** Time the venue's own limit makes it take at our share. Unit: milliseconds. */
  readonly floorMs: number;
}

export interface WorkPlan {
  readonly estimates: readonly WorkEstimate[];
  /** Without weight, which every venue counts in its own unit. Venues are asked side by side: the slowest decides. */
  readonly total: Pick<WorkEstimate, 'runs' | 'series' | 'candles' | 'requests' | 'floorMs'>;
}
