import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realClock } from '../src/platform/node/system-clock.ts';
import { openDuckdbParquet } from '../src/platform/node/duckdb-parquet.ts';
import { realFiles } from '../src/platform/node/disk-files.ts';
import { DAY_MS } from '../src/domain/interval.ts';
import { dayOf, daysBetween, dayStartMs } from '../src/domain/partition.ts';
import { silverRows } from '../src/lake/candle-columns.ts';
import { lakeAt } from '../src/lake/layout.ts';
import type { ReportedGap } from './clients/rows.ts';
import type { Attempt, Contestant, Terms } from './contestant.ts';
import type { Task } from './workload.ts';
import type { StoredDay } from './assessment.ts';
import { runNode, type Ended } from './processes.ts';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
/** A backfill that ends with a `resume` command is resumed at most this often; the time counts. */
const RESUMES_MAX = 5;
/** The documented exit code of a partial result. */
const PARTIAL = 3;

/**
 * This program as a user runs it, end to end into bronze and silver. Several processes share one data directory and
 * divide the days among them.
 */
export function candlekeep({ name, processes }: { readonly name: string; readonly processes: number }): Contestant {
  return {
    name,
    run: async (task, terms) => {
      const startedMs = performance.now();
      const ended = await Promise.all(
        partsOf(task, processes).map((days, at) => backfill(task, terms, { days, name: `backfill-${at + 1}` })),
      );
      const wallMs = performance.now() - startedMs;
      return {
        processes: ended.flat(),
        wallMs,
        result: { stored: storedDays(task), columns: 'all', reported: await reportedGaps(task, terms) },
      } satisfies Attempt;
    },
  };
}

interface Days {
  readonly start: string;
  readonly end: string;
}

/** Consecutive days for each process. At 1m a file holds one day, so no process waits for another's file. */
function partsOf({ range }: Task, count: number): Days[] {
  const days = daysBetween(dayOf(range.fromMs), dayOf(range.toMs - 1));
  const borders = Array.from({ length: count + 1 }, (_, at) => Math.round((at * days.length) / count));
  return borders.slice(1).map((to, at) => ({ start: days[borders[at] ?? 0] ?? '', end: days[to - 1] ?? '' }));
}

async function backfill(
  task: Task,
  terms: Terms,
  { days, name }: { readonly days: Days; readonly name: string },
): Promise<Ended[]> {
  const ended: Ended[] = [];
  for (let at = 0; at <= RESUMES_MAX; at++) {
    const attempt = await command(task, terms, {
      args: ['backfill', '--start', days.start, '--end', days.end],
      name: `${name}-${at + 1}`,
    });
    ended.push(attempt);
    if (attempt.exit !== PARTIAL) break;
  }
  return ended;
}

const command = (
  task: Task,
  { share, wallMsMax }: Terms,
  { args, name }: { readonly args: readonly string[]; readonly name: string },
): Promise<Ended> =>
  runNode({
    args: [
      ...(process.env['BENCH_NODE_OPTIONS'] ?? '').split(' ').filter((option) => option !== ''),
      MAIN,
      ...args,
      '--json',
    ],
    env: {
      CANDLEKEEP_DATA_DIR: join(task.directory, 'data'),
      CANDLEKEEP_EXCHANGES: 'binance',
      CANDLEKEEP_SYMBOLS: task.symbols.join(','),
      CANDLEKEEP_INTERVAL: '1m',
      CANDLEKEEP_BINANCE_URL: task.url,
      CANDLEKEEP_RATE_SHARE: String(share),
    },
    directory: task.directory,
    name,
    wallMsMax,
  });

interface GapsDocument {
  readonly gaps: readonly {
    readonly symbol: string;
    readonly from: string;
    readonly to: string;
    readonly reason: string;
  }[];
}

async function reportedGaps(task: Task, terms: Terms): Promise<readonly ReportedGap[]> {
  const { stdout } = await command(task, terms, {
    args: ['check-gaps', '--start', dayOf(task.range.fromMs), '--end', dayOf(task.range.toMs - 1)],
    name: 'check-gaps',
  });
  const { gaps } = JSON.parse(stdout) as GapsDocument;
  return gaps.map(({ symbol, from, to, reason }) => ({
    symbol,
    fromMs: Date.parse(from),
    toMs: Date.parse(to),
    why: reason,
  }));
}

/** The rows of silver's files. */
async function* storedDays({ directory, range }: Task): AsyncIterable<StoredDay> {
  const lake = lakeAt(join(directory, 'data'));
  const parquet = openDuckdbParquet({ scratchDirectory: join(directory, 'assessment'), clock: realClock });
  try {
    for (const period of daysBetween(dayOf(range.fromMs - DAY_MS), dayOf(range.toMs))) {
      const path = lake.at(lake.silverFile({ exchange: 'binance', interval: '1m', period }));
      if (!realFiles.exists(path)) continue;
      const rows = silverRows(await parquet.decode(realFiles.read(path)));
      for (const [symbol, candles] of Map.groupBy(rows, (row) => row.symbol))
        yield { symbol, dayMs: dayStartMs(period), candles };
    }
  } finally {
    parquet.close();
  }
}
