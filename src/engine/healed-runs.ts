import { intervalMs } from '../market/interval.ts';
import { dayRange, dueAtMs } from '../market/partition.ts';
import { bronzeAsset, GOLD_ASSET, SILVER_ASSET } from '../faults/ledger/asset-names.ts';
import { listRuns, type Run } from '../faults/ledger/runs.ts';
import type { Pipeline } from './pipeline.ts';
import { accountOf, totalOf } from './range-account.ts';
import { venueOf } from './venues.ts';
import type { RunRequest } from './work.ts';

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
 * account, is left. What it did not publish must be published.
 */
async function isHealed(pipeline: Pipeline, run: Run, recent: readonly Run[]): Promise<boolean> {
  const request = JSON.parse(run.request) as RunRequest;
  const startedMs = run.startedAtMs ?? run.createdAtMs; // of a run whose process died, the end is when that was noticed
  const later = recent.filter((one) => one.finishedAtMs !== null && (one.startedAtMs ?? 0) > startedMs);
  const left = request.markets.filter((market) => !later.some((one) => didAllOf(one, run, market)));
  const isOpen = (exchange: string): boolean => dueAtMs(run.partitionEnd, venueOf(pipeline.venues, exchange).adapter.graceMs) > pipeline.ports.clock.nowMs();
  if (left.some(([exchange]) => isOpen(exchange) && !isComplete(run, bronzeAsset(exchange)))) return false;
  const stepMs = intervalMs(run.interval);
  const range = { fromMs: dayRange(run.partition).fromMs, toMs: Math.min(dayRange(run.partitionEnd).toMs, Math.floor(startedMs / stepMs) * stepMs) };
  if (range.toMs > range.fromMs && totalOf(await accountOf(pipeline, { range, markets: new Map(left), intervals: [run.interval] })).pending > 0) return false;
  return !request.assets.includes('gold') || later.some((one) => isComplete(one, GOLD_ASSET));
}

const isComplete = ({ assets }: Run, name: string): boolean => assets.some(({ asset, outcome }) => asset === name && outcome === 'complete');

/** Whether `later` brought every candle of the market that `run` was to bring. */
function didAllOf(later: Run, run: Run, [exchange, symbols]: RunRequest['markets'][number]): boolean {
  if (later.interval !== run.interval || later.partition > run.partition || later.partitionEnd < run.partitionEnd || ![bronzeAsset(exchange), SILVER_ASSET].every((name) => isComplete(later, name))) return false;
  const { markets, selection } = JSON.parse(later.request) as RunRequest;
  const asked = new Set(markets.find(([one]) => one === exchange)?.[1]);
  return ASKS_FOR_ALL.has(selection) && symbols.every((symbol) => asked.has(symbol));
}

const ASKS_FOR_ALL: ReadonlySet<RunRequest['selection']> = new Set(['missing', 'all']);
