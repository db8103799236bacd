import type { TimeRange } from '../../../domain/range.ts';
import type { MarketSymbol } from '../../../domain/symbol.ts';
import { evidenceOf, type GapEvidence } from './gap-evidence.ts';
import { causeOf, stateOf, type GapCause, type VerdictState } from './gap-rules.ts';
import { gapContextOf, segmentsOf, type ClassificationScope } from './gap-context.ts';
import type { VenueRecord } from './series-record.ts';

/**
 * Why a segment of one series is missing, or flat during an outage. Neighbouring verdicts may have the same cause
 * with different evidence.
 */
export interface GapVerdict extends TimeRange {
  readonly symbol: MarketSymbol;
  readonly state: VerdictState;
  readonly cause: GapCause;
  readonly evidence: GapEvidence;
}

/**
 * Classifies every hole and every flat run of a venue inside `scope.classified`. Flat rows of a quiet market get no
 * verdict: they are present. Pure: the same record always gives the same verdicts.
 */
export function classifyGaps(record: VenueRecord, scope: ClassificationScope): GapVerdict[] {
  const context = gapContextOf(record, scope);
  return context.series.flatMap((own) =>
    segmentsOf(own, context).flatMap((segment): GapVerdict[] => {
      const evidence = evidenceOf(segment, own, context);
      const cause = causeOf(evidence);
      return cause === null
        ? []
        : [
            {
              symbol: own.series.symbol,
              fromMs: segment.fromMs,
              toMs: segment.toMs,
              state: stateOf(cause),
              cause,
              evidence,
            },
          ];
    }),
  );
}
