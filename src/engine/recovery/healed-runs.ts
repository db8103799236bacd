import { dayRange, dueAtMs } from '../../domain/partition.ts';
import { bronzeAsset, GOLD_ASSET, SILVER_ASSET } from '../../domain/assets.ts';
import { listRuns, type Run } from '../../state/runs.ts';
import { closedWhenBegun, lacksOpenCandles } from './open-candles.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { accountOf, totalOf } from '../core/range-account.ts';
import { venueOf } from '../core/exchanges.ts';
import type { RunRequest } from '../../state/run-request.ts';

/** Newest runs among which one may have completed the work of a failed run. */
const LATER_RUNS_MAX = 1_000;

/** The runs that still have work left. */
export async function unhealed(pipeline: Pipeline, runs: readonly Run[]): Promise<readonly Run[]> {
  if (runs.length === 0) return runs;
  const recent = await pipeline.ports.store.read(listRuns, LATER_RUNS_MAX);
  const left: Run[] = [];
  for (const run of runs) if (!(await isHealed(pipeline, run, recent))) left.push(run);
  return left;
}

/**
 * True when the work of a failed run has been completed since. Either a later run requested all of it and is complete,
 * or none of the candles that had closed at the run's start is pending. Candles of the open day are in no account, so
 * only a later run can complete them. A run that should have published needs a later publication.
 * For a run that did not fail only the open day counts: cells of closed days have a next attempt of their own.
 */
async function isHealed(pipeline: Pipeline, run: Run, recent: readonly Run[]): Promise<boolean> {
  const request = run.request;
  const later = recent.filter(
    (one) => one.finishedAtMs !== null && (one.startedAtMs ?? 0) > (run.startedAtMs ?? run.createdAtMs),
  );
  if (run.outcome !== 'failed') return !(await lacksOpen(pipeline, run, later));
  const left = request.markets.filter((market) => !later.some((one) => didAllOf(one, run, market)));
  const isOpen = (exchange: string): boolean =>
    dueAtMs(run.partitionEnd, venueOf(pipeline.venues, exchange).adapter.graceMs) > pipeline.ports.clock.nowMs();
  if (left.some(([exchange]) => isOpen(exchange) && !isComplete(run, bronzeAsset(exchange)))) return false;
  const range = {
    fromMs: dayRange(run.partition).fromMs,
    toMs: Math.min(dayRange(run.partitionEnd).toMs, closedWhenBegun(run)),
  };
  if (
    range.toMs > range.fromMs &&
    totalOf(await accountOf(pipeline, { range, markets: new Map(left), intervals: [run.interval] })).pending > 0
  )
    return false;
  return !request.assets.includes('gold') || later.some((one) => isComplete(one, GOLD_ASSET));
}

const isComplete = ({ assets }: Run, name: string): boolean =>
  assets.some(({ asset, outcome }) => asset === name && outcome === 'complete');

type Market = RunRequest['markets'][number];

/** Whether `later` fetched every candle of the market that `run` should have fetched. */
const didAllOf = (later: Run, run: Run, market: Market): boolean =>
  later.partition <= run.partition &&
  [bronzeAsset(market[0]), SILVER_ASSET].every((name) => isComplete(later, name)) &&
  requestsAgain(later, run, market);

/** Whether `later` also requested the market's candles of the last day of `run`. */
function requestsAgain(later: Run, run: Run, [exchange, symbols]: Market): boolean {
  if (later.interval !== run.interval || later.partitionEnd < run.partitionEnd) return false;
  const { markets, selection } = later.request;
  const requested = new Set(markets.find(([one]) => one === exchange)?.[1]);
  return REQUESTS_ALL.has(selection) && symbols.every((symbol) => requested.has(symbol));
}

/**
 * Whether `successor` requests everything that `run` requested of its last day. Cells of earlier days have a next
 * attempt of their own.
 */
export const takesOver = (successor: Run, run: Run): boolean =>
  run.request.markets.every((market) => requestsAgain(successor, run, market));

/** Whether candles of the open day are missing and no later run requests them. */
async function lacksOpen({ ports: { store, clock } }: Pipeline, run: Run, later: readonly Run[]): Promise<boolean> {
  for (const [exchange, symbols] of run.request.markets) {
    const asset = run.assets.find((one) => one.asset === bronzeAsset(exchange));
    if (
      asset === undefined ||
      later.some((one) => one.outcome !== 'cancelled' && requestsAgain(one, run, [exchange, symbols]))
    )
      continue;
    if (await store.read(lacksOpenCandles, run, asset, clock.nowMs())) return true;
  }
  return false;
}

const REQUESTS_ALL: ReadonlySet<RunRequest['selection']> = new Set(['missing', 'all']);
