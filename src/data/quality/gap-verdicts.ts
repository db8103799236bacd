import type { TimeRange } from '../../market/range.ts';
import type { MarketSymbol } from '../../market/symbol.ts';
import { evidenceOf, type GapEvidence } from './gap-evidence.ts';
import { causeOf, stateOf, type GapCause, type VerdictState } from './gap-rules.ts';
import { sceneOf, stretchesOf, type Scope } from './gap-scene.ts';
import type { VenueRecord } from './series-record.ts';

/** Why neighbouring candles of one series are missing, or flat in an outage. */
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
  return scene.series.flatMap((own) => {
    const verdicts: GapVerdict[] = [];
    for (const stretch of stretchesOf(own, scene)) {
      const evidence = evidenceOf(stretch, own, scene);
      const cause = causeOf(evidence);
      if (cause !== null) join(verdicts, { symbol: own.series.symbol, fromMs: stretch.fromMs, toMs: stretch.toMs, state: stateOf(cause), cause, evidence });
    }
    return verdicts;
  });
}

/** Neighbours with the same evidence are one verdict. */
function join(verdicts: GapVerdict[], next: GapVerdict): void {
  const last = verdicts.at(-1);
  if (last?.toMs === next.fromMs && last.cause === next.cause && JSON.stringify(last.evidence) === JSON.stringify(next.evidence)) verdicts[verdicts.length - 1] = { ...last, toMs: next.toMs };
  else verdicts.push(next);
}
