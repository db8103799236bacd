import type { Alert } from '../../alerting/model/alert.ts';
import { firingAlerts } from '../../alerting/model/alerts.ts';
import { DAY_MS } from '../../domain/interval.ts';
import type { FaultCode } from '../../errors/table.ts';
import { ledgerTotals, type LedgerTotal } from '../../state/cells.ts';
import { countFaults } from '../../state/fault-log.ts';
import { listRuns, type Run } from '../../state/runs.ts';
import { removedSymbols, type RemovedSymbol } from '../../state/symbols.ts';
import type { StateAccess } from '../core/pipeline.ts';

export interface StatusReport {
  readonly totals: readonly LedgerTotal[];
  readonly firing: readonly Alert[];
  /** Of the last 24 hours, most frequent first. */
  readonly faults: readonly { readonly code: FaultCode; readonly count: number }[];
  readonly removed: readonly RemovedSymbol[];
  /** Null before the first run. */
  readonly lastRun: Run | null;
}

/** Stored and pending candles and current problems, from one snapshot of the store. */
export const statusReport = ({ ports }: Pick<StateAccess, 'ports'>): Promise<StatusReport> =>
  ports.store.read(function* status() {
    const [lastRun = null] = yield* listRuns(1);
    return {
      lastRun,
      firing: yield* firingAlerts(),
      totals: yield* ledgerTotals(),
      faults: yield* countFaults(ports.clock.nowMs() - DAY_MS),
      removed: yield* removedSymbols(),
    };
  });
