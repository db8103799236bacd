import type { DeliveredRow } from '../../exchanges/adapter.ts';
import type { RowValidation } from '../quality/row-rules.ts';
import type { SilverRow } from '../candle-columns.ts';
import type { QuarantineDecision } from '../quarantine-decisions.ts';

/** One delivered row with its judgement and the answer it came from. */
export interface Delivery {
  readonly row: DeliveredRow;
  readonly silver: SilverRow;
  readonly validation: RowValidation;
  /** Which answer; rises with the time the answers came. */
  readonly response: number;
  /** The file as it stands was made from this answer, among others. */
  readonly isKnown: boolean;
  /** Set when somebody released this very row. */
  readonly released: QuarantineDecision | null;
}

/** A stored candle that its venue tells otherwise by now. */
export interface Revision {
  readonly before: Delivery;
  readonly after: Delivery;
}

export interface RowSelection {
  /** One delivery for each open time that has a valid or released row. */
  readonly taken: readonly Delivery[];
  /** One delivery for each open time that has only invalid rows. */
  readonly quarantined: readonly Delivery[];
  /** Rows that one answer delivered more than once. */
  readonly duplicates: number;
  /** Candles whose row differs from the one in the file as it stands. */
  readonly revisions: readonly Revision[];
}

/**
 * Chooses one row for each open time of one series: the last valid or released one. What was asked again and came
 * back valid replaces what was invalid before, so a quarantined candle heals by itself. `deliveries` in the order of their answers.
 */
export function selectRows(deliveries: readonly Delivery[]): RowSelection {
  const taken = new Map<number, Delivery>();
  const quarantined = new Map<number, Delivery>();
  const stored = new Map<number, Delivery>();
  let seen = { answer: -1, openTimesMs: new Set<number>() };
  let duplicates = 0;
  for (const delivery of deliveries) {
    const { openTimeMs } = delivery.row;
    if (seen.answer !== delivery.response) seen = { answer: delivery.response, openTimesMs: new Set() };
    if (seen.openTimesMs.has(openTimeMs)) duplicates += 1;
    seen.openTimesMs.add(openTimeMs);
    if (delivery.validation.errors.length > 0 && delivery.released === null) {
      quarantined.set(openTimeMs, delivery);
      continue;
    }
    taken.set(openTimeMs, delivery);
    if (delivery.isKnown) stored.set(openTimeMs, delivery);
  }
  return {
    taken: [...taken.values()],
    quarantined: [...quarantined].filter(([openTimeMs]) => !taken.has(openTimeMs)).map(([, delivery]) => delivery),
    duplicates,
    revisions: [...stored].flatMap(([openTimeMs, before]) => {
      const after = taken.get(openTimeMs) as Delivery;
      return sameValues(before.silver, after.silver) ? [] : [{ before, after }];
    }),
  };
}

/** Values that silver holds. */
const sameValues = (a: SilverRow, b: SilverRow): boolean =>
  a.open === b.open &&
  a.high === b.high &&
  a.low === b.low &&
  a.close === b.close &&
  a.volume === b.volume &&
  a.quoteVolume === b.quoteVolume &&
  a.trades === b.trades;
