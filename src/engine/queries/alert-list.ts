import type { Alert } from '../../alerting/model/alert.ts';
import { firingAlerts, openAlerts } from '../../alerting/model/alerts.ts';
import { auditTrail, type AuditEntry } from '../../alerting/model/audit.ts';
import { severityOf } from '../../alerting/model/levels.ts';
import { silencesInForce, type Silence } from '../../alerting/model/silences.ts';
import type { StateAccess } from '../core/pipeline.ts';

const ROWS_MAX = 1_000;

export interface AlertList {
  /** Most severe first, then oldest first. */
  readonly alerts: readonly Alert[];
  readonly silences: readonly Silence[];
}

/** Alerts and the silences in force; `all` includes alerts that are over. */
export async function listAlerts({ ports }: Pick<StateAccess, 'ports'>, which: 'firing' | 'all'): Promise<AlertList> {
  const { alerts, silences } = await ports.store.read(function* alertItems() {
    return {
      alerts: yield* which === 'all' ? openAlerts(0) : firingAlerts(),
      silences: yield* silencesInForce(ports.clock.nowMs()),
    };
  });
  return {
    alerts: alerts.toSorted((a, b) => severityOf(b.level) - severityOf(a.level) || a.firedAtMs - b.firedAtMs),
    silences,
  };
}

/** The audit trail of alerts, newest first, 1000 entries at most. */
export const alertHistory = ({ ports }: Pick<StateAccess, 'ports'>): Promise<readonly AuditEntry[]> =>
  ports.store.read(auditTrail, ROWS_MAX);
