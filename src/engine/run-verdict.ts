import { SILVER_ASSET } from '../faults/ledger/asset-names.ts';
import type { AssetReport, RunOutcome } from '../faults/ledger/runs.ts';
import { DefectError, type Fault } from '../faults/taxonomy/errors.ts';
import { judge } from '../faults/taxonomy/judge.ts';
import { toRecord, type FaultRecord } from '../faults/taxonomy/records.ts';
import { EXIT, exitOfFault, worstExit, type ExitCode } from './exit-code.ts';

/** How a run ended, and what its command's process ends with. */
export interface RunVerdict {
  readonly assets: readonly AssetReport[];
  readonly outcome: RunOutcome;
  readonly exit: ExitCode;
  /** The fault that decided the exit; null for 0 and 3. */
  readonly error: FaultRecord | null;
  /** The failure concerns every other run as well: no more are started. */
  readonly endsWork: boolean;
}

export interface RunFindings {
  readonly assets: readonly AssetReport[];
  /** One fault for each thing that failed: a symbol, an asset, a lease. */
  readonly faults: readonly Fault[];
  /** Did any venue answer any candle request of this run? */
  readonly wasAnswered: boolean;
}

/** More than this share of rows removed speaks of the data as a whole, not of a few rows. Strict. */
export const REMOVED_RATIO_ERROR = 0.1;

/** Worst first: a run is what its worst asset is. */
export const OUTCOMES_WORST_FIRST: readonly RunOutcome[] = ['cancelled', 'failed', 'partial', 'parked', 'complete'];

/** The verdict on a run that came to its end. Pure. */
export function verdictOf({ assets, faults, wasAnswered }: RunFindings): RunVerdict {
  const codes = faults.map((fault) => fault.code);
  const isLost = assets.some((asset) => asset.outcome === 'failed');
  const isUnreachable =
    codes.length > 0 && !wasAnswered && codes.every((code) => exitOfFault(code) === EXIT.unreachable);
  const isMalformed = isLost && codes.length > 0 && codes.every((code) => code === 'SCHEMA_MISMATCH');
  const exit = worstExit([
    ...codes
      .filter((code) => code === 'UNAUTHORIZED' || code === 'FORBIDDEN' || code === 'CELLS_LEASED')
      .map(exitOfFault),
    ...(isUnreachable ? [EXIT.unreachable] : isMalformed ? [EXIT.dataQuality] : isLost ? [EXIT.assetFailed] : []),
    ...(assets.some((asset) => asset.asset === SILVER_ASSET && asset.removal_rate > REMOVED_RATIO_ERROR)
      ? [EXIT.dataQuality]
      : []),
    ...(assets.some((asset) => asset.outcome !== 'complete') ? [EXIT.partial] : []),
  ]);
  const deciding = faults.find((fault) => exitOfFault(fault.code) === exit) ?? faults[0];
  return {
    assets,
    outcome: OUTCOMES_WORST_FIRST.find((outcome) => assets.some((asset) => asset.outcome === outcome)) ?? 'complete',
    exit,
    error: deciding === undefined || exit === EXIT.done || exit === EXIT.partial ? null : toRecord(deciding),
    endsWork: codes.includes('UNAUTHORIZED'),
  };
}

/** The verdict on a run that something stopped half-way. What was stored before stays: bronze remembers every answer. */
export function stoppedBy(error: unknown): RunVerdict {
  const verdict = judge(error);
  const stopped = { assets: [], endsWork: true } as const;
  switch (verdict.verdict) {
    case 'cancelled':
      return { ...stopped, outcome: 'cancelled', exit: EXIT.interrupted, error: null };
    case 'fault':
      return { ...stopped, outcome: 'failed', exit: exitOfFault(verdict.fault.code), error: toRecord(verdict.fault) };
    case 'defect': {
      const message = Error.isError(error) ? error.message : String(error);
      return {
        ...stopped,
        outcome: 'failed',
        exit: EXIT.defect,
        error: toRecord(new DefectError(message, { cause: error })),
      };
    }
    default:
      return verdict satisfies never;
  }
}
