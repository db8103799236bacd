import { recordFaults, type FaultEntry } from '../../state/fault-log.ts';
import { checkFence } from '../../state/runs.ts';
import { AnswerDamagedError } from '../../errors/errors.ts';
import { toRecord } from '../../errors/fault-record.ts';
import { DAY_MS } from '../../domain/interval.ts';
import { dayStartMs } from '../../domain/partition.ts';
import { markDamaged } from '../bronze/page-index.ts';
import type { SilverRow } from '../candle-columns.ts';
import type { PeriodKey } from '../layout.ts';
import { manifestEntry } from '../manifest.ts';
import { accountPeriod, withDamaged } from './period-account.ts';
import { commitPeriod } from './period-commit.ts';
import { readPeriod, type LostResponse } from './period.ts';
import { countRules } from './summary.ts';
import type { SymbolScope, SilverContext } from './silver-context.ts';

/** Result of one period, counted over the run's own cells. */
export interface SilverReport {
  readonly inputRows: number;
  readonly outputRows: number;
  readonly removedRows: number;
  /** The same rows by the first rule each broke. */
  readonly removedByRule: Readonly<Record<string, number>>;
  readonly errors: number;
  readonly warnings: number;
  /** Responses that could not be read any more. */
  readonly damagedAnswers: number;
}

/**
 * Rebuilds one silver file from bronze, for all its symbols, and updates the account of the run's cells, as
 * `commitPeriod` describes.
 * @throws CellsLeasedError (CELLS_LEASED) when another process took the run over.
 * @throws StorageError (STORAGE_FAILED) when the disk is full or read-only.
 */
export async function materialiseSilver(
  context: SilverContext,
  key: PeriodKey,
  scopes: readonly SymbolScope[],
): Promise<SilverReport> {
  const before = await context.ports.store.read(manifestEntry, key);
  const period = await readPeriod(context.ports, context.responses, key, before?.inputs);
  if (period.lost.length > 0) await keepLosses(context, period.lost);
  const cells = await accountPeriod(context, key, { scopes: await withDamaged(context, key, scopes), period });
  await commitPeriod(context, key, { period, cells, before });
  const isMine = cellFilter(scopes);
  const kept = period.rows.filter(isMine);
  const removed = period.quarantined.filter(({ row }) => isMine(row));
  return {
    inputRows: kept.length + removed.length,
    outputRows: kept.length,
    removedRows: removed.length,
    removedByRule: countRules(removed.map(({ rules }) => rules.slice(0, 1))),
    errors: removed.reduce((sum, { rules }) => sum + rules.length, 0),
    warnings: period.warned.filter(({ row }) => isMine(row)).reduce((sum, { rules }) => sum + rules.length, 0),
    damagedAnswers: period.lost.length,
  };
}

function cellFilter(scopes: readonly SymbolScope[]): (row: SilverRow) => boolean {
  const days = new Map(
    scopes.map(({ symbol, days: dueDays, openDays }) => [symbol, new Set([...dueDays, ...openDays].map(dayStartMs))]),
  );
  return (row) => days.get(row.symbol)?.has(row.openTimeMs - (row.openTimeMs % DAY_MS)) ?? false;
}

/** Takes responses that cannot be read any more out of use: their candles are no longer covered. */
async function keepLosses({ ports, fence }: SilverContext, lost: readonly LostResponse[]): Promise<void> {
  const nowMs = ports.clock.nowMs();
  const entries = lost.map(({ page, loss, cause }): FaultEntry => {
    const { exchange, symbol } = page.series;
    const facts = { exchange, symbol, segment: page.segment, offset: page.offset, loss };
    const error = new AnswerDamagedError(facts, cause === null ? {} : { cause });
    ports.log.warn(error.message, { code: error.code, exchange, symbol });
    return {
      ...page.series,
      id: ports.ids.next('fault'),
      atMs: nowMs,
      runId: fence.runId,
      range: page.range,
      attempt: null,
      triesMax: null,
      decision: 'pending',
      waitMs: null,
      record: toRecord(error),
    };
  });
  await ports.store.transact(function* keepLosses() {
    yield* checkFence(fence);
    yield* markDamaged(lost.map(({ page }) => page.id));
    yield* recordFaults(entries);
  });
}
