import type { DeliveredRow } from '../../exchanges/adapter.ts';
import type { RowValidation } from '../quality/row-rules.ts';
import type { SilverRow } from '../candle-columns.ts';
import type { QuarantineDecision } from '../quarantine-decisions.ts';

/** One delivered row with its validation and the response it came from. */
export interface Delivery {
  readonly row: DeliveredRow;
  readonly silver: SilverRow;
  readonly validation: RowValidation;
  /** Index of the response, in order of arrival. */
  readonly response: number;
  /** The stored file was made from this response, among others. */
  readonly isKnown: boolean;
  /** The decision of a person who released this row; null without one. */
  readonly released: QuarantineDecision | null;
}

/** A stored candle whose values the venue has changed since. */
export interface Revision {
  readonly before: Delivery;
  readonly after: Delivery;
}

export interface RowSelection {
  /** One delivery for each open time that has a valid or released row. */
  readonly taken: readonly Delivery[];
  /** One delivery for each open time that has only invalid rows. */
  readonly quarantined: readonly Delivery[];
  /** Rows that one response delivered more than once. */
  readonly duplicates: number;
  /** Candles whose row differs from the one in the stored file. */
  readonly revisions: readonly Revision[];
}

/**
 * Chooses one row for each open time of one series: the last valid or released one. A valid row from a later response
 * replaces an invalid one, so a quarantined candle heals by itself. `deliveries` are in order of their responses.
 */
export function selectRows(deliveries: readonly Delivery[]): RowSelection {
  const taken = new Map<number, Delivery>();
  const quarantined = new Map<number, Delivery>();
  const stored = new Map<number, Delivery>();
  let seen = { response: -1, openTimesMs: new Set<number>() };
  let duplicates = 0;
  for (const delivery of deliveries) {
    const { openTimeMs } = delivery.row;
    if (seen.response !== delivery.response) seen = { response: delivery.response, openTimesMs: new Set() };
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

/** Compares the values that silver stores. */
const sameValues = (a: SilverRow, b: SilverRow): boolean =>
  a.open === b.open &&
  a.high === b.high &&
  a.low === b.low &&
  a.close === b.close &&
  a.volume === b.volume &&
  a.quoteVolume === b.quoteVolume &&
  a.trades === b.trades;
