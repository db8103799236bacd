import type { Exchange } from '../../domain/exchange.ts';
import { DAY_MS, type Interval } from '../../domain/interval.ts';
import { dayOf, dayStartMs, type Day } from '../../domain/partition.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import type { Random } from '../../platform/ports/random.ts';
import { materialise } from '../runs/materialise.ts';
import type { Pipeline } from '../core/pipeline.ts';
import type { Control, WorkResult } from '../core/work.ts';

/** How long a day must be closed before it is verified. Unit: milliseconds. */
const SETTLED_AFTER_MS = DAY_MS;
/** Share of an exchange's symbols, at least one symbol, drawn again for each day. */
const SAMPLE_RATIO = 0.05;

/** The newest day that has been closed for `SETTLED_AFTER_MS`. */
export const dayToVerify = (nowMs: number): Day => dayOf(nowMs - SETTLED_AFTER_MS - DAY_MS);
/** When the day after `day` can be verified, in epoch milliseconds. */
export const nextVerificationAtMs = (day: Day): number => dayStartMs(day) + 2 * DAY_MS + SETTLED_AFTER_MS;

/** A closed day and the configured series. */
export interface ClosedDay {
  readonly day: Day;
  readonly markets: ReadonlyMap<Exchange, readonly MarketSymbol[]>;
  readonly intervals: readonly Interval[];
}

function sampleOf(symbols: readonly MarketSymbol[], random: Random): MarketSymbol[] {
  const drawn = symbols
    .toSorted()
    .map((symbol) => ({ symbol, lot: random.next() }))
    .toSorted((a, b) => a.lot - b.lot);
  return drawn.slice(0, Math.ceil(symbols.length * SAMPLE_RATIO)).map(({ symbol }) => symbol);
}

/**
 * Fetches a sample of a closed day again, complete cells included. Candles that the exchange has changed since become
 * a revision with a line in corrections.ndjson.
 */
export function reverify(
  pipeline: Pipeline,
  { day, markets, intervals }: ClosedDay,
  control: Control,
): Promise<WorkResult> {
  const { random } = pipeline.ports;
  const sample = new Map(
    [...markets].map(([exchange, symbols]) => [exchange, sampleOf(symbols, random.fork(`verify ${day} ${exchange}`))]),
  );
  return materialise(
    pipeline,
    {
      days: { start: day, end: day },
      markets: sample,
      intervals,
      selection: 'all',
      waitPolicy: 'all',
      assets: ['bronze', 'silver'],
      trigger: 'verify',
      tags: {},
    },
    control,
  );
}
