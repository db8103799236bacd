import type { Operation } from '../../platform/ports/store.ts';
import { pendingBy } from '../../state/cells.ts';
import type { RunOutcome } from '../../state/runs.ts';
import { isRuleCode } from '../../metrics/rules.ts';
import { FAULT_CODES, ruleOf } from '../../errors/table.ts';
import { fingerprintOf, type Alert, type AlertCode, type Cause } from './alert.ts';
import { firingAlerts, resolveAlert, type AlertContext } from './alerts.ts';

/** Codes that end a run before it makes any asset. */
const STOPPED_A_RUN: readonly AlertCode[] = FAULT_CODES.filter((code) => ruleOf(code).consequence === 'run-stops');

/** The result of a run that has just ended. */
export interface RunHealing {
  readonly runId: string;
  readonly assets: readonly string[];
  readonly outcome: RunOutcome;
  /** Causes that the run raised itself: these are not healed. */
  readonly raised: readonly Cause[];
}

/**
 * Resolves the causes that this run healed, in the transaction that writes its end: causes of the assets it made that
 * did not occur again and have no pending cell. A cause that stopped a whole run (a full disk, a defect) is over once a
 * run completes. Returns the fingerprints.
 */
export function* resolveHealed(
  { runId, assets, outcome, raised }: RunHealing,
  moment: AlertContext,
): Operation<readonly string[]> {
  const gotThrough = outcome !== 'failed' && outcome !== 'cancelled';
  const met = new Set(raised.map(fingerprintOf));
  const healed: string[] = [];
  for (const alert of yield* firingAlerts()) {
    const isOurs =
      alert.asset === null
        ? STOPPED_A_RUN.includes(alert.code) && gotThrough
        : assets.includes(alert.asset) && !isRuleCode(alert.code);
    if (!isOurs || met.has(alert.fingerprint) || (yield* hasOpenCells(alert))) continue;
    yield* resolveAlert(alert, `healed by ${runId}`, moment);
    healed.push(alert.fingerprint);
  }
  return healed;
}

/** True while a candle of this exchange is pending because of this code. */
function* hasOpenCells({ exchange, code }: Alert): Operation<boolean> {
  return exchange !== null && (yield* pendingBy(exchange, code)) !== null;
}
