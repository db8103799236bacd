import { dayRange, dueAtMs } from '../../domain/partition.ts';
import { bronzeAsset, GOLD_ASSET, SILVER_ASSET } from '../../domain/assets.ts';
import { listRuns, type Run } from '../../state/runs.ts';
import { closedWhenBegun, lacksOpenCandles } from './open-candles.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { accountOf, totalOf } from '../core/range-account.ts';
import { venueOf } from '../core/exchanges.ts';
import type { RunRequest } from '../../state/run-request.ts';

/** Runs looked through for one that did what another failed to do. */
const LATER_RUNS_MAX = 1_000;

/** Those of these runs of which something is left to do. */
export async function unhealed(pipeline: Pipeline, runs: readonly Run[]): Promise<readonly Run[]> {
  if (runs.length === 0) return runs;
  const recent = await pipeline.ports.store.read('listRuns', () => listRuns(LATER_RUNS_MAX));
  const left: Run[] = [];
  for (const run of runs) if (!(await isHealed(pipeline, run, recent))) left.push(run);
  return left;
}

/**
 * True when what the run failed to do has been done since: by a later run that asked for all of it and is complete; or
 * of the candles that had closed when it began none is pending, and none of a day that is still open, and so in no
 * account, is left. What it did not publish must be published. Of a run that did not fail, cells with appointments care
 * for the closed days.
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

/** Whether `later` brought every candle of the market that `run` was to bring. */
const didAllOf = (later: Run, run: Run, market: Market): boolean =>
  later.partition <= run.partition &&
  [bronzeAsset(market[0]), SILVER_ASSET].every((name) => isComplete(later, name)) &&
  asksAgain(later, run, market);

/** Whether `later` was to bring the market's candles of the last day of `run` as well. */
function asksAgain(later: Run, run: Run, [exchange, symbols]: Market): boolean {
  if (later.interval !== run.interval || later.partitionEnd < run.partitionEnd) return false;
  const { markets, selection } = later.request;
  const asked = new Set(markets.find(([one]) => one === exchange)?.[1]);
  return ASKS_FOR_ALL.has(selection) && symbols.every((symbol) => asked.has(symbol));
}

/** Whether `taker` asks for all that `run` was to bring of its last day; the cells of earlier days have appointments of their own. */
export const takesOver = (taker: Run, run: Run): boolean =>
  run.request.markets.every((market) => asksAgain(taker, run, market));

/** Candles of a day that is still open are left, and no later run has taken over to bring them. */
async function lacksOpen({ ports: { store, clock } }: Pipeline, run: Run, later: readonly Run[]): Promise<boolean> {
  for (const [exchange, symbols] of run.request.markets) {
    const asset = run.assets.find((one) => one.asset === bronzeAsset(exchange));
    if (
      asset === undefined ||
      later.some((one) => one.outcome !== 'cancelled' && asksAgain(one, run, [exchange, symbols]))
    )
      continue;
    if (await store.read('lacksOpenCandles', () => lacksOpenCandles(run, asset, clock.nowMs()))) return true;
  }
  return false;
}

const ASKS_FOR_ALL: ReadonlySet<RunRequest['selection']> = new Set(['missing', 'all']);
