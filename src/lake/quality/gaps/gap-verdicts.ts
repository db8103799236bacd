import type { TimeRange } from '../../../domain/range.ts';
import type { MarketSymbol } from '../../../domain/symbol.ts';
import { evidenceOf, type GapEvidence } from './gap-evidence.ts';
import { causeOf, stateOf, type GapCause, type VerdictState } from './gap-rules.ts';
import { sceneOf, stretchesOf, type Scope } from './gap-context.ts';
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
export function judgeGaps(record: VenueRecord, scope: Scope): GapVerdict[] {
  const scene = sceneOf(record, scope);
  return scene.series.flatMap((own) =>
    stretchesOf(own, scene).flatMap((stretch): GapVerdict[] => {
      const evidence = evidenceOf(stretch, own, scene);
      const cause = causeOf(evidence);
      return cause === null
        ? []
        : [
            {
              symbol: own.series.symbol,
              fromMs: stretch.fromMs,
              toMs: stretch.toMs,
              state: stateOf(cause),
              cause,
              evidence,
            },
          ];
    }),
  );
}
