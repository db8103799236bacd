import { randomBytes } from 'node:crypto';
import { realClock } from '../src/platform/node/system-clock.ts';
import { DIRECT } from '../src/platform/network-settings.ts';
import { memoryLog } from '../tests/support/virtual/memory-log.ts';
import { seededRandom } from '../src/platform/seeded-random.ts';
import type { Exchange } from '../src/domain/exchange.ts';
import { dayOf, dayRange, daysBetween, type Day } from '../src/domain/partition.ts';
import { gridOf, type TimeRange } from '../src/domain/range.ts';
import type { CellState } from '../src/domain/cell.ts';
import { NO_CHANNELS } from '../src/alerting/model/settings.ts';
import { recordCells } from '../src/state/cells.ts';
import { beginRun, createRun, finishRun, type Fence } from '../src/state/runs.ts';
import { hullOfTimes, recordPages, type PageEntry } from '../src/lake/bronze/page-index.ts';
import { recordManifest } from '../src/lake/manifest.ts';
import { accountCell } from '../src/lake/silver/cell-account.ts';
import { chunksOf, type DayRange } from '../src/engine/core/chunks.ts';
import { classifyDays } from '../src/engine/ingest/gap-classification.ts';
import type { Pipeline } from '../src/engine/core/pipeline.ts';
import { openPipeline } from '../src/api/open-pipeline.ts';
import { venueOf } from '../src/engine/core/exchanges.ts';
import { MINUTE_MS } from './workload.ts';

/** The extent of an account, and the exchange whose series miss candles. */
export interface AccountWorkload {
  readonly seed: string;
  readonly exchanges: readonly Exchange[];
  readonly symbols: readonly string[];
  readonly range: TimeRange;
  readonly missing: { readonly exchange: Exchange; readonly ratio: number };
}

const INTERVAL = '1m';
const RECHECK_AFTER_MS = 21_600_000;

/**
 * Writes the state of a finished backfill to `dataDir`, month by month: responses indexed, cells counted, gaps
 * classified. Bronze and silver themselves are not written.
 */
export async function writeAccount(workload: AccountWorkload, dataDir: string): Promise<void> {
  const pipeline = await openPipeline(
    {
      dataDir,
      markets: new Map(workload.exchanges.map((exchange) => [exchange, workload.symbols])),
      intervals: [INTERVAL],
      origins: {},
      requestTimeoutMs: 10_000,
      deadlineMs: 300_000,
      recheckAfterMs: RECHECK_AFTER_MS,
      rateShare: 1,
      network: DIRECT,
      hub: null,
      alerts: NO_CHANNELS,
      tags: {},
    },
    { log: memoryLog() },
  );
  const days = { start: dayOf(workload.range.fromMs), end: dayOf(workload.range.toMs - 1) };
  for (const chunk of chunksOf(days, INTERVAL)) {
    const fences = new Map<Exchange, Fence>();
    for (const exchange of workload.exchanges)
      fences.set(exchange, await accountForChunk(pipeline, workload, { exchange, chunk }));
    for (const [exchange, fence] of fences) {
      await classifyDays(pipeline, fence, { exchange, interval: INTERVAL, ...chunk });
      await pipeline.ports.store.transact(
        finishRun,
        fence,
        { outcome: 'complete', assets: [], error: null },
        realClock.nowMs(),
      );
    }
  }
  await pipeline.close();
}

async function accountForChunk(
  pipeline: Pipeline,
  workload: AccountWorkload,
  { exchange, chunk }: { readonly exchange: Exchange; readonly chunk: DayRange },
): Promise<Fence> {
  const { store, ids, clock } = pipeline.ports;
  const nowMs = clock.nowMs();
  const runId = ids.next('run');
  const fence = await store.transact(function* beginMeasuredRun() {
    yield* createRun(
      {
        id: runId,
        interval: INTERVAL,
        partition: chunk.start,
        partitionEnd: chunk.end,
        trigger: 'backfill',
        tags: {},
        request: { markets: [], selection: 'missing', waitPolicy: 'all', assets: [] },
      },
      nowMs,
    );
    return yield* beginRun(runId, 'bench', nowMs);
  });
  const range = { fromMs: dayRange(chunk.start).fromMs, toMs: dayRange(chunk.end).toMs };
  const pages: PageEntry[] = [];
  const cells: CellState[] = [];
  for (const symbol of workload.symbols) {
    const present = presentOf(workload, { exchange, symbol, range });
    const own = pagesOf(pipeline, { exchange, symbol, range, present, runId });
    pages.push(...own);
    cells.push(
      ...daysBetween(chunk.start, chunk.end).map((day) =>
        accountCell({
          cell: { exchange, symbol, interval: INTERVAL, day },
          firstCandleMs: null,
          present,
          quarantined: new Set(),
          dropped: new Set(),
          planned: { flat: [], cut: [] },
          covered: [range],
          failed: [],
          before: null,
          isRequested: true,
          nowMs,
          recheckAfterMs: RECHECK_AFTER_MS,
        }),
      ),
    );
  }
  await store.transact(function* commitSilver() {
    yield* recordPages(pages);
    yield* recordCells(cells, { runId, nowMs });
    for (const period of daysBetween(chunk.start, chunk.end))
      yield* recordManifest(fileOf({ exchange, period, pages, runId, nowMs }));
  });
  if (fence === null) throw new Error(`run ${runId} did not begin`);
  return fence;
}

/** Open times of the candles that were received. */
function presentOf(
  { seed, missing }: AccountWorkload,
  { exchange, symbol, range }: { readonly exchange: Exchange; readonly symbol: string; readonly range: TimeRange },
): ReadonlySet<number> {
  const random = seededRandom(`${seed}/${exchange}/${symbol}/${range.fromMs}`);
  return new Set(gridOf(range, INTERVAL).filter(() => exchange !== missing.exchange || random.next() >= missing.ratio));
}

type Fetched = {
  readonly exchange: Exchange;
  readonly symbol: string;
  readonly range: TimeRange;
  readonly present: ReadonlySet<number>;
  readonly runId: string;
};

/** Full pages, one after another, as a backfill requests them. */
function pagesOf(
  { ports: { ids, clock }, venues }: Pipeline,
  { exchange, symbol, range, present, runId }: Fetched,
): PageEntry[] {
  const { rowsPerPageMax } = venueOf(venues, exchange).adapter;
  const pages: PageEntry[] = [];
  for (let fromMs = range.fromMs; fromMs < range.toMs; fromMs += rowsPerPageMax * MINUTE_MS) {
    const requested = { fromMs, toMs: Math.min(fromMs + rowsPerPageMax * MINUTE_MS, range.toMs) };
    const open = gridOf(requested, INTERVAL).filter((timeMs) => present.has(timeMs));
    pages.push({
      id: ids.next('page'),
      series: { exchange, symbol, interval: INTERVAL },
      range: requested,
      rejected: null,
      rows: open.length,
      hull: hullOfTimes(open),
      segment: `bronze/exchange=${exchange}/interval=1m/fetched=${dayOf(clock.nowMs())}/seg-0001.zst`,
      offset: pages.length * 20_000,
      length: 20_000,
      sha256: randomBytes(32).toString('hex'),
      fetchedAtMs: clock.nowMs(),
      runId,
    });
  }
  return pages;
}

function fileOf({
  exchange,
  period,
  pages,
  runId,
  nowMs,
}: {
  readonly exchange: Exchange;
  readonly period: Day;
  readonly pages: readonly PageEntry[];
  readonly runId: string;
  readonly nowMs: number;
}): Parameters<typeof recordManifest>[0] {
  const { fromMs, toMs } = dayRange(period);
  const own = pages.filter(({ range }) => range.fromMs < toMs && range.toMs > fromMs);
  const symbols = [...Map.groupBy(own, ({ series }) => series.symbol)].map(([symbol, of]) => ({
    symbol,
    rows: of.reduce((sum, { rows }) => sum + rows, 0),
    firstOpenMs: fromMs,
    lastOpenMs: toMs - MINUTE_MS,
  }));
  const rows = symbols.reduce((sum, one) => sum + one.rows, 0);
  return {
    exchange,
    interval: INTERVAL,
    period,
    path: `silver/exchange=${exchange}/interval=1m/period=${period}/part-0.parquet`,
    revision: 1,
    sha256: randomBytes(32).toString('hex'),
    rowsSha256: randomBytes(32).toString('hex'),
    bytes: rows * 40,
    rowsIn: rows,
    rowsOut: rows,
    removedByRule: {},
    warningsByRule: {},
    duplicates: 0,
    released: [],
    symbols,
    inputs: own.map(({ sha256 }) => sha256),
    runId,
    writtenAtMs: nowMs,
  };
}
