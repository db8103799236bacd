import type { Operation } from '../../kernel/store.ts';
import { isAnyPendingBy } from '../ledger/cells.ts';
import { isRuleCode } from '../metrics/rules.ts';
import { fingerprintOf, type Alert, type Cause } from './alert.ts';
import { firingAlerts, resolveAlert, type Moment } from './alerts.ts';

/** What a run has just done. */
export interface Healing {
  readonly runId: string;
  readonly assets: readonly string[];
  /** What it raised itself: that is not healed. */
  readonly raised: readonly Cause[];
}

/**
 * Resolves what this run healed, in the transaction that writes its end: causes of the assets it made
 * that it did not meet again, and of which no cell is left. Returns their fingerprints.
 */
export function* resolveHealed({ runId, assets, raised }: Healing, moment: Moment): Operation<readonly string[]> {
  const met = new Set(raised.map(fingerprintOf));
  const healed: string[] = [];
  for (const alert of yield* firingAlerts()) {
    const isOurs = alert.asset !== null && assets.includes(alert.asset) && !isRuleCode(alert.code) && !met.has(alert.fingerprint);
    if (!isOurs || (yield* hasOpenCells(alert))) continue;
    yield* resolveAlert(alert, `healed by ${runId}`, moment);
    healed.push(alert.fingerprint);
  }
  return healed;
}

/** Is a candle of this exchange still missing because of this code? */
function* hasOpenCells({ exchange, code }: Alert): Operation<boolean> {
  return exchange !== null && (yield* isAnyPendingBy(exchange, code));
}
