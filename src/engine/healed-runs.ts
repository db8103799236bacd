import { intervalMs } from '../market/interval.ts';
import { dayRange, dueAtMs } from '../market/partition.ts';
import { bronzeAsset, GOLD_ASSET } from '../faults/ledger/asset-names.ts';
import { listRuns, type Run } from '../faults/ledger/runs.ts';
import type { Pipeline } from './pipeline.ts';
import { accountOf, totalOf } from './range-account.ts';
import { venueOf } from './venues.ts';
import type { RunRequest } from './work.ts';

/** Runs looked through for one that did what another failed to do. */
const LATER_RUNS_MAX = 1_000;

/**
 * True when what the run failed to do has been done since: of the candles that had closed by its end none is
 * pending, what belongs to a day that is still open, and so is in no account, came with a later run, and what it did
 * not publish is published.
 */
export async function isHealed(pipeline: Pipeline, run: Run): Promise<boolean> {
  const request = JSON.parse(run.request) as RunRequest;
  const stepMs = intervalMs(run.interval);
  const closedMs = Math.floor((run.finishedAtMs ?? 0) / stepMs) * stepMs;
  const range = { fromMs: dayRange(run.partition).fromMs, toMs: Math.min(dayRange(run.partitionEnd).toMs, closedMs) };
  if (range.toMs > range.fromMs && totalOf(await accountOf(pipeline, { range, markets: new Map(request.markets), intervals: [run.interval] })).pending > 0) return false;
  const later = (await pipeline.ports.store.read('listRuns', () => listRuns(LATER_RUNS_MAX))).filter((one) => (one.finishedAtMs ?? 0) > (run.finishedAtMs ?? 0));
  const isOpenAt = (exchange: string): boolean => dueAtMs(run.partitionEnd, venueOf(pipeline.venues, exchange).adapter.graceMs) > pipeline.ports.clock.nowMs();
  const left = request.markets.filter(([exchange]) => isOpenAt(exchange) && !isComplete(run, bronzeAsset(exchange)));
  if (left.some((market) => !later.some((one) => didAllOf(one, run, market)))) return false;
  return !request.assets.includes('gold') || later.some((one) => isComplete(one, GOLD_ASSET));
}

const isComplete = ({ assets }: Run, name: string): boolean => assets.some(({ asset, outcome }) => asset === name && outcome === 'complete');

/** Whether `later` brought every symbol of the market for the last day of `run`. */
function didAllOf(later: Run, run: Run, [exchange, symbols]: RunRequest['markets'][number]): boolean {
  if (later.interval !== run.interval || later.partition > run.partitionEnd || later.partitionEnd < run.partitionEnd || !isComplete(later, bronzeAsset(exchange))) return false;
  const { markets } = JSON.parse(later.request) as RunRequest;
  const asked = new Set(markets.find(([one]) => one === exchange)?.[1]);
  return symbols.every((symbol) => asked.has(symbol));
}
