import type { Exchange } from '../../domain/exchange.ts';
import type { Day } from '../../domain/partition.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import type { Trace } from '../../platform/ports/telemetry.ts';
import type { Fence, Run } from '../../state/runs.ts';
import type { Control } from '../core/work.ts';
import type { RunSlot } from './run-overlap.ts';

/** A run in progress. */
export interface RunContext extends Control {
  readonly run: Run;
  readonly fence: Fence;
  readonly slot: RunSlot;
  /** The run's span. */
  readonly trace: Trace;
}

/** The part of a run that concerns one exchange. */
export interface IngestContext extends RunContext {
  readonly exchange: Exchange;
  readonly symbols: readonly MarketSymbol[];
  readonly days: readonly Day[];
}
