import type { TimeRange } from '../../../domain/range.ts';
import type { MarketSymbol } from '../../../domain/symbol.ts';
import { evidenceOf, type GapEvidence } from './gap-evidence.ts';
import { causeOf, stateOf, type GapCause, type VerdictState } from './gap-rules.ts';
import { gapContextOf, segmentsOf, type ClassificationScope } from './gap-context.ts';
import type { VenueRecord } from './series-record.ts';

/** Why a stretch of candles of one series is missing, or flat in an outage. Neighbours may have the same cause on other evidence. */
export interface GapVerdict extends TimeRange {
  readonly symbol: MarketSymbol;
  readonly state: VerdictState;
  readonly cause: GapCause;
  readonly evidence: GapEvidence;
}

/**
 * Judges every hole and every flat run of a venue inside `scope.judged`. Flat rows of a calm time get no verdict:
 * they are present. Pure: the same record gives the same verdicts, whenever it is judged.
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
