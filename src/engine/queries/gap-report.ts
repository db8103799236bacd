import { createHash } from 'node:crypto';
import { ParquetUnreadableError } from '../../platform/parquet-error.ts';
import type { Ports } from '../../platform/ports/ports.ts';
import type { Exchange } from '../../domain/exchange.ts';
import type { Interval } from '../../domain/interval.ts';
import { candlesIn, subtractRanges, type TimeRange } from '../../domain/range.ts';
import { dayOf, dayRange, periodOf } from '../../domain/partition.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import type { Account } from '../../domain/account.ts';
import type { CellState } from '../../domain/cell.ts';
import { GAP_STATES, type GapState, type WantedGaps } from '../../domain/gap.ts';
import { cellsOfSeries } from '../../state/cells.ts';
import { verdictsOf } from '../../state/verdicts.ts';
import type { FaultCode } from '../../errors/table.ts';
import { silverRows } from '../../lake/candle-columns.ts';
import { manifestEntry } from '../../lake/manifest.ts';
import type { GapEvidence } from '../../lake/quality/gaps/gap-evidence.ts';
import { causeOf, stateOf } from '../../lake/quality/gaps/gap-rules.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { accountOf, totalOf, type SeriesAccount } from '../core/range-account.ts';

export interface GapQuery {
  readonly range: TimeRange;
  readonly markets: ReadonlyMap<Exchange, readonly MarketSymbol[]>;
  readonly intervals: readonly Interval[];
  /** Recount the stored candles from the Parquet files and compare with the ledger. */
  readonly verify: boolean;
  /** Includes gaps with a settled reason (no_trades, outage). */
  readonly explained: boolean;
}

export interface ReportedGap extends TimeRange {
  readonly exchange: Exchange;
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  readonly candles: number;
  readonly state: GapState;
  readonly code: FaultCode | null;
  /** The gap rule that gave the verdict; null without one. */
  readonly cause: string | null;
  readonly nextAttemptAtMs: number | null;
}

/** A difference between the files and the ledger. */
export interface Discrepancy {
  readonly where: string;
  readonly message: string;
}

export interface GapAccount {
  readonly totals: Account;
  /** Generated during iteration; each iteration starts again. */
  readonly gaps: Iterable<ReportedGap>;
  readonly discrepancies: readonly Discrepancy[];
}

export interface GapReport extends GapAccount {
  readonly gaps: readonly ReportedGap[];
}

/** The account of a range. With `verify` it is compared with the files. */
export async function gapAccount(pipeline: Pipeline, query: GapQuery): Promise<GapAccount> {
  const accounts = await accountOf(pipeline, query);
  const gaps = { [Symbol.iterator]: () => reportedGaps(accounts, query.explained ? 'all' : 'open') };
  return { totals: totalOf(accounts), gaps, discrepancies: query.verify ? await verify(pipeline, accounts) : [] };
}

/** The same with all gaps in memory. */
export async function gapReport(pipeline: Pipeline, query: GapQuery): Promise<GapReport> {
  const account = await gapAccount(pipeline, query);
  return { ...account, gaps: [...account.gaps] };
}

function* reportedGaps(accounts: readonly SeriesAccount[], wanted: WantedGaps): Generator<ReportedGap> {
  for (const { series, gaps } of accounts) {
    for (const gap of gaps(wanted)) yield { ...series, ...gap, candles: candlesIn(gap, series.interval) };
  }
}

async function verify(pipeline: Pipeline, accounts: readonly SeriesAccount[]): Promise<Discrepancy[]> {
  const files = Map.groupBy(await storedCells(pipeline, accounts), (cell) =>
    pipeline.lake.silverFile({ ...cell, period: periodOf(cell.day, cell.interval) }),
  );
  const found: Discrepancy[] = [];
  for (const [path, cells] of files) found.push(...(await verifyFile(pipeline, path, cells)));
  for (const cell of [...files.values()].flat()) found.push(...(await verifyReasons(pipeline, cell)));
  return found;
}

async function storedCells({ ports: { store } }: Pipeline, accounts: readonly SeriesAccount[]): Promise<CellState[]> {
  const cells: CellState[] = [];
  for (const { series, days } of accounts)
    if (days !== null) cells.push(...(await store.read(cellsOfSeries, series, days)));
  return cells;
}

/** `cells` of one silver file. */
async function verifyFile(
  { ports, lake }: Pipeline,
  path: string,
  cells: readonly CellState[],
): Promise<Discrepancy[]> {
  const [{ exchange, interval, day }] = cells as readonly [CellState];
  const entry = await ports.store.read(manifestEntry, { exchange, interval, period: periodOf(day, interval) });
  const claimed = cells.reduce((sum, cell) => sum + cell.account.present, 0);
  if (!ports.files.exists(lake.at(path))) {
    return claimed === 0 && entry === null
      ? []
      : [{ where: path, message: `the file is missing; the ledger counts ${claimed} candles in it` }];
  }
  const bytes = ports.files.read(lake.at(path));
  const found: Discrepancy[] = [];
  if (entry === null || createHash('sha256').update(bytes).digest('hex') !== entry.sha256) {
    found.push({ where: path, message: 'the file is not the one Candlekeep wrote (sha256 differs)' });
  }
  const rows = await storedOpenTimes(ports, bytes);
  if (rows === null) return [...found, { where: path, message: 'the file cannot be read as Parquet' }];
  for (const cell of cells) {
    const stored = (rows.get(`${cell.symbol} ${cell.day}`) ?? []).filter(
      (openTimeMs) => !isInOutage(cell, openTimeMs),
    ).length;
    if (stored === cell.account.present) continue;
    found.push({
      where: `${path} ${cell.symbol} ${cell.day}`,
      message: `${stored} candles in the file, ${cell.account.present} in the ledger`,
    });
  }
  return found;
}

/** Flat rows an exchange sent during an outage are stored, but count as outage. */
const isInOutage = (cell: CellState, openTimeMs: number): boolean =>
  cell.gaps.some(({ state, fromMs, toMs }) => state === 'outage' && fromMs <= openTimeMs && openTimeMs < toMs);

/** Distinct open times by `symbol day`; null when the bytes are no Parquet file of ours. */
async function storedOpenTimes(
  ports: Ports,
  bytes: Uint8Array,
): Promise<ReadonlyMap<string, readonly number[]> | null> {
  try {
    const rows = silverRows(await ports.parquet.decode(bytes));
    const cells = Map.groupBy(rows, (row) => `${row.symbol} ${dayOf(row.openTimeMs)}`);
    return new Map([...cells].map(([cell, own]) => [cell, [...new Set(own.map((row) => row.openTimeMs))]]));
  } catch (error) {
    if (error instanceof ParquetUnreadableError) return null;
    throw error;
  }
}

/** Compares a cell's account with its gaps, and each settled gap with its verdict and the verdict's evidence. */
async function verifyReasons({ ports }: Pipeline, cell: CellState): Promise<Discrepancy[]> {
  const where = `${cell.exchange} ${cell.symbol} ${cell.interval} ${cell.day}`;
  const found: Discrepancy[] = [];
  for (const state of GAP_STATES) {
    const counted = cell.gaps
      .filter((gap) => gap.state === state)
      .reduce((sum, gap) => sum + candlesIn(gap, cell.interval), 0);
    if (counted !== cell.account[state])
      found.push({ where, message: `${counted} candles are listed as ${state}, ${cell.account[state]} are counted` });
  }
  const settled = cell.gaps.filter(({ state }) => state === 'no_trades' || state === 'outage');
  if (settled.length === 0) return found;
  const verdicts = await ports.store.read(verdictsOf, cell, dayRange(cell.day));
  for (const verdict of verdicts) {
    const cause = causeOf(verdict.evidence as GapEvidence);
    if (cause !== verdict.cause || stateOf(cause) !== verdict.state)
      found.push({
        where,
        message: `the verdict ${verdict.state} (${verdict.cause}) does not follow from its evidence`,
      });
  }
  for (const gap of settled) {
    const own = verdicts.filter(({ state, cause }) => state === gap.state && cause === gap.cause);
    if (subtractRanges([gap], own).length > 0)
      found.push({ where, message: `the account has ${gap.state} (${gap.cause}) without such a verdict` });
  }
  return found;
}
