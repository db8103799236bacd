import type { Ports } from '../../platform/ports/ports.ts';
import type { FailedRange } from '../../domain/gap.ts';
import type { Fence, RunTrigger } from '../../state/runs.ts';
import type { Day } from '../../domain/partition.ts';
import type { Lake } from '../layout.ts';
import type { ResponseReader } from './response-reader.ts';

/** One symbol of the run: its days in this period, and the ranges that bronze could not fetch. */
export interface SymbolScope {
  readonly symbol: string;
  readonly days: readonly Day[];
  /** Days for which this run sent a request. */
  readonly requestedDays: ReadonlySet<Day>;
  /** Days that are not due yet: their closed candles are stored, but are in no account. */
  readonly openDays: readonly Day[];
  readonly failed: readonly FailedRange[];
}

export interface SilverContext {
  readonly ports: Ports;
  readonly lake: Lake;
  readonly responses: ResponseReader;
  readonly fence: Fence;
  readonly recheckAfterMs: number;
  /** Why this run was started; recorded as the cause of its corrections. */
  readonly trigger: RunTrigger;
}
