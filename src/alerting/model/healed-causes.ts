import type { Operation } from '../../platform/ports/store.ts';
import { pendingBy } from '../../state/cells.ts';
import type { RunOutcome } from '../../state/runs.ts';
import { isRuleCode } from '../../metrics/rules.ts';
import { FAULT_CODES, ruleOf } from '../../errors/table.ts';
import { fingerprintOf, type Alert, type AlertCode, type Cause } from './alert.ts';
import { firingAlerts, resolveAlert, type AlertContext } from './alerts.ts';

/** What may end a run before any of its assets is made. */
const STOPPED_A_RUN: readonly AlertCode[] = FAULT_CODES.filter((code) => ruleOf(code).consequence === 'run-stops');

/** What a run has just done. */
export interface RunHealing {
  readonly runId: string;
  readonly assets: readonly string[];
  readonly outcome: RunOutcome;
  /** What it raised itself: that is not healed. */
  readonly raised: readonly Cause[];
}

/**
 * Resolves what this run healed, in the transaction that writes its end: causes of the assets it made
 * that it did not meet again, and of which no cell is left. What stopped a whole run (a full disk, a defect)
 * is over once a run gets through. Returns their fingerprints.
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

/** Is a candle of this exchange still missing because of this code? */
function* hasOpenCells({ exchange, code }: Alert): Operation<boolean> {
  return exchange !== null && (yield* pendingBy(exchange, code)) !== null;
}
