import { SILVER_ASSET } from '../../domain/assets.ts';
import type { AssetReport, RunOutcome } from '../../state/runs.ts';
import { DefectError, type Fault } from '../../errors/errors.ts';
import { classify } from '../../errors/classify.ts';
import { toRecord, type FaultRecord } from '../../errors/fault-record.ts';
import { endingOfFault, worstEnding, type Ending } from './ending.ts';

/** How a run ended, and the ending it gives its command. */
export interface RunVerdict {
  readonly assets: readonly AssetReport[];
  readonly outcome: RunOutcome;
  readonly ending: Ending;
  /** The fault that decided the ending; null for `done` and `partial`. */
  readonly error: FaultRecord | null;
  /** The failure affects every run: no more are started. */
  readonly endsWork: boolean;
}

export interface RunFindings {
  readonly assets: readonly AssetReport[];
  /** One for each symbol, asset or lease that failed. */
  readonly faults: readonly Fault[];
  /** Whether any exchange answered any candle request of this run. */
  readonly wasAnswered: boolean;
}

/** Above this share of removed rows the data as a whole is suspect. Strict. */
export const REMOVED_RATIO_ERROR = 0.1;

/** Worst first: the outcome of a run is that of its worst asset. */
export const OUTCOMES_WORST_FIRST: readonly RunOutcome[] = ['cancelled', 'failed', 'partial', 'parked', 'complete'];

/** The verdict on a run that was not stopped. */
export function verdictOf({ assets, faults, wasAnswered }: RunFindings): RunVerdict {
  const codes = faults.map((fault) => fault.code);
  const isLost = assets.some((asset) => asset.outcome === 'failed');
  const isUnreachable =
    codes.length > 0 && !wasAnswered && codes.every((code) => endingOfFault(code) === 'unreachable');
  const isMalformed = isLost && codes.length > 0 && codes.every((code) => code === 'SCHEMA_MISMATCH');
  const ending = worstEnding([
    ...codes
      .filter((code) => code === 'UNAUTHORIZED' || code === 'FORBIDDEN' || code === 'CELLS_LEASED')
      .map(endingOfFault),
    ...(isUnreachable
      ? ['unreachable' as const]
      : isMalformed
        ? ['dataQuality' as const]
        : isLost
          ? ['assetFailed' as const]
          : []),
    ...(assets.some((asset) => asset.asset === SILVER_ASSET && asset.removal_rate > REMOVED_RATIO_ERROR)
      ? ['dataQuality' as const]
      : []),
    ...(assets.some((asset) => asset.outcome !== 'complete') ? ['partial' as const] : []),
  ]);
  const deciding = faults.find((fault) => endingOfFault(fault.code) === ending) ?? faults[0];
  return {
    assets,
    outcome: OUTCOMES_WORST_FIRST.find((outcome) => assets.some((asset) => asset.outcome === outcome)) ?? 'complete',
    ending,
    error: deciding === undefined || ending === 'done' || ending === 'partial' ? null : toRecord(deciding),
    endsWork: codes.includes('UNAUTHORIZED'),
  };
}

/** The verdict on a run that an error stopped. Stored candles stay: bronze keeps every response. */
export function stoppedBy(error: unknown): RunVerdict {
  const verdict = classify(error);
  const stopped = { assets: [], endsWork: true } as const;
  switch (verdict.verdict) {
    case 'cancelled':
      return { ...stopped, outcome: 'cancelled', ending: 'interrupted', error: null };
    case 'fault':
      return {
        ...stopped,
        outcome: 'failed',
        ending: endingOfFault(verdict.fault.code),
        error: toRecord(verdict.fault),
      };
    case 'defect': {
      const message = Error.isError(error) ? error.message : String(error);
      return {
        ...stopped,
        outcome: 'failed',
        ending: 'defect',
        error: toRecord(new DefectError(message, { cause: error })),
      };
    }
    default:
      return verdict satisfies never;
  }
}
