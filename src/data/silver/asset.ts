import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { tempBeside, writeAtomic } from '../../kernel/files.ts';
import type { Ports } from '../../kernel/ports.ts';
import { cellsOfSeries, recordCells } from '../../faults/ledger/cells.ts';
import type { CellState, FailedRange } from '../../faults/ledger/account.ts';
import { checkFence, type Fence } from '../../faults/ledger/runs.ts';
import { firstCandleOf } from '../../faults/ledger/symbols.ts';
import { DAY_MS, intervalMs } from '../../market/interval.ts';
import { dayRange, dayStartMs, type Day } from '../../market/partition.ts';
import { coverageOf } from '../bronze/page-index.ts';
import { silverColumns, type SilverRow } from '../lake/candle-columns.ts';
import type { Lake, PeriodKey } from '../lake/layout.ts';
import { quarantineColumns } from '../lake/quarantine-columns.ts';
import { manifestEntry, manifestOf, recordManifest, type ManifestEntry } from '../lake/manifest.ts';
import { tellingRows } from '../quality/series-record.ts';
import { accountCell } from './cell-account.ts';
import { readPeriod, type AnswerReader, type PeriodRows } from './period.ts';
import { summaryOf } from './summary.ts';

/** One symbol of the run: the days it accounts for in this period, and what bronze could not get. */
export interface SymbolScope {
  readonly symbol: string;
  readonly days: readonly Day[];
  /** Days for which this run sent a request. */
  readonly askedDays: ReadonlySet<Day>;
  /** Days that are not due yet: stored as far as they go, in no account. */
  readonly openDays: readonly Day[];
  readonly failed: readonly FailedRange[];
}

export interface SilverContext {
  readonly ports: Ports;
  readonly lake: Lake;
  readonly answers: AnswerReader;
  readonly fence: Fence;
  readonly recheckAfterMs: number;
}

/** What came of one period, counted over the run's own cells. */
export interface SilverReport {
  readonly inputRows: number;
  readonly outputRows: number;
  readonly removedRows: number;
  readonly errors: number;
  readonly warnings: number;
  readonly cells: readonly CellState[];
}

/**
 * Rebuilds one silver file from bronze, for all its symbols, and accounts for the run's cells. File,
 * manifest row and cells change in one transaction, or not at all.
 * @throws CellsLeasedError (CELLS_LEASED) when another process took the run over.
 * @throws StorageError (STORAGE_FAILED) when the disk is full or read-only.
 */
export async function materialiseSilver(context: SilverContext, key: PeriodKey, scopes: readonly SymbolScope[]): Promise<SilverReport> {
  const period = await readPeriod(context.ports, context.answers, key);
  const cells = await accountPeriod(context, key, { scopes, period });
  await commitPeriod(context, key, { period, cells });
  const isMine = cellFilter(scopes);
  const kept = period.rows.filter(isMine);
  const removed = period.quarantined.filter(({ row }) => isMine(row));
  return {
    inputRows: kept.length + removed.length,
    outputRows: kept.length,
    removedRows: removed.length,
    errors: removed.reduce((sum, { rules }) => sum + rules.length, 0),
    warnings: period.warned.filter(({ row }) => isMine(row)).reduce((sum, { rules }) => sum + rules.length, 0),
    cells,
  };
}

function cellFilter(scopes: readonly SymbolScope[]): (row: SilverRow) => boolean {
  const days = new Map(scopes.map(({ symbol, days: dueDays, openDays }) => [symbol, new Set([...dueDays, ...openDays].map(dayStartMs))]));
  return (row) => days.get(row.symbol)?.has(row.openTimeMs - (row.openTimeMs % DAY_MS)) ?? false;
}

async function accountPeriod(context: SilverContext, key: PeriodKey, { scopes, period }: { scopes: readonly SymbolScope[]; period: PeriodRows }): Promise<CellState[]> {
  const { store, clock } = context.ports;
  const presentBySymbol = Map.groupBy(period.rows, (row) => row.symbol);
  const quarantinedBySymbol = Map.groupBy(period.quarantined, ({ row }) => row.symbol);
  const nowMs = clock.nowMs();
  const cells: CellState[] = [];
  for (const scope of scopes) {
    const series = { exchange: key.exchange, symbol: scope.symbol, interval: key.interval };
    const [start, end] = [scope.days[0], scope.days.at(-1)];
    if (start === undefined || end === undefined) continue;
    const known = await store.read('cellFindings', function* () {
      return {
        before: yield* cellsOfSeries(series, { start, end }),
        covered: yield* coverageOf(series, { fromMs: dayRange(start).fromMs, toMs: dayRange(end).toMs }),
        first: yield* firstCandleOf(series),
      };
    });
    const before = new Map(known.before.map((cell) => [cell.day, cell]));
    const rows = presentBySymbol.get(scope.symbol) ?? [];
    const present = new Set(rows.map((row) => row.openTimeMs));
    const telling = tellingRows(rows, intervalMs(key.interval));
    const quarantined = new Set((quarantinedBySymbol.get(scope.symbol) ?? []).map(({ row }) => row.openTimeMs));
    for (const day of scope.days) {
      cells.push(accountCell({
        cell: { ...series, day },
        firstCandleMs: known.first?.openMs ?? null,
        present,
        quarantined,
        telling,
        covered: known.covered,
        failed: scope.failed,
        before: before.get(day) ?? null,
        asked: scope.askedDays.has(day),
        nowMs,
        recheckAfterMs: context.recheckAfterMs,
      }));
    }
  }
  return cells;
}

async function commitPeriod(context: SilverContext, key: PeriodKey, { period, cells }: { period: PeriodRows; cells: readonly CellState[] }): Promise<void> {
  const { ports, lake, fence } = context;
  const path = lake.silverFile(key);
  const bytes = period.rows.length === 0 ? null : await ports.parquet.encode(silverColumns(period.rows));
  const quarantine = await writeTemp(context, lake.quarantineFile(key), period.quarantined.length === 0 ? null : await ports.parquet.encode(quarantineColumns(period.quarantined)));
  const sha256 = bytes === null ? '' : createHash('sha256').update(bytes).digest('hex');
  const before = await ports.store.read('manifestEntry', () => manifestEntry(key));
  const isUnchanged = bytes === null || (before?.sha256 === sha256 && ports.files.exists(lake.at(path)));
  const silver = await writeTemp(context, path, isUnchanged ? null : bytes);
  await ports.store.transact('commitSilver', function* () {
    yield* checkFence(fence);
    silver();
    quarantine();
    if (bytes !== null && !isUnchanged) {
      yield* recordManifest(entryOf({ key, path, period, bytes, sha256, before, runId: fence.runId, nowMs: ports.clock.nowMs() }));
    }
    yield* recordCells(cells, { runId: fence.runId, nowMs: ports.clock.nowMs() });
  });
  if (period.quarantined.length === 0) ports.files.remove(lake.at(lake.quarantineFile(key)));
  if (!isUnchanged) await writeManifestFile(context, key);
}

/** Writes the bytes beside their place and returns what moves them there; with nothing to write, moving is nothing. */
async function writeTemp({ ports, lake }: SilverContext, path: string, bytes: Uint8Array | null): Promise<() => void> {
  if (bytes === null) return () => undefined;
  const target = lake.at(path);
  const temp = tempBeside(target);
  ports.files.write(temp, bytes);
  ports.files.fsync(temp);
  return () => {
    ports.files.rename(temp, target);
    ports.files.fsyncDirectory(dirname(target));
  };
}

function entryOf(made: { key: PeriodKey; path: string; period: PeriodRows; bytes: Uint8Array; sha256: string; before: ManifestEntry | null; runId: string; nowMs: number }): ManifestEntry {
  const { key, period, before } = made;
  const summary = summaryOf(period);
  return {
    ...key,
    ...summary,
    path: made.path,
    revision: before === null ? 1 : before.revision + (before.rowsSha256 === summary.rowsSha256 ? 0 : 1),
    sha256: made.sha256,
    bytes: made.bytes.length,
    duplicates: period.duplicates,
    inputs: period.inputs,
    runId: made.runId,
    writtenAtMs: made.nowMs,
  };
}

/**
 * `manifest.json` beside the periods: the store's rows for people and programs without the store. Read and
 * written in one transaction: processes that share the directory take turns, and the newest list is written last.
 */
async function writeManifestFile({ ports, lake }: SilverContext, { exchange, interval }: PeriodKey): Promise<void> {
  await ports.store.transact('writeManifest', function* () {
    const files = yield* manifestOf(exchange, interval);
    const text = `${JSON.stringify({ schema: 1, exchange, interval, files }, null, 1)}\n`;
    writeAtomic(ports.files, lake.at(join(lake.silverIntervalDirectory(exchange, interval), 'manifest.json')), Buffer.from(text));
  });
}
