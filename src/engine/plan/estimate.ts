import type { Exchange } from '../../domain/exchange.ts';
import { daysBetween } from '../../domain/partition.ts';
import { candlesIn } from '../../domain/range.ts';
import { costOf, type RateLimit } from '../../resilience/rate-limit/rate-limit.ts';
import { planPages } from '../../exchanges/planner.ts';
import { chunksOf } from '../core/chunks.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { plansOf, removedFrom, type VenueScope } from './series-plans.ts';
import { marketsAt, venueOf } from '../core/exchanges.ts';
import type { SeriesPlan } from './work-plan.ts';
import type { WorkEstimate, WorkPlan, WorkRequest } from '../core/work.ts';

/** The cost of a request at each exchange. Rechecks and retries are not included. */
export async function estimate(pipeline: Pipeline, work: WorkRequest): Promise<WorkPlan> {
  const estimates: WorkEstimate[] = [];
  for (const interval of work.intervals) {
    for (const [exchange, symbols] of marketsAt(pipeline.venues, work.markets, interval))
      estimates.push(await estimateVenue(pipeline, work, { exchange, symbols, interval }));
  }
  const byVenue = Map.groupBy(estimates, (one) => one.exchange);
  const floors = [...byVenue].map(([exchange, own]) =>
    floorOf(pipeline, exchange, { requests: sumOf(own, 'requests'), weight: sumOf(own, 'weight') }),
  );
  return {
    estimates,
    total: {
      runs: sumOf(estimates, 'runs'),
      series: sumOf(estimates, 'series'),
      candles: sumOf(estimates, 'candles'),
      requests: sumOf(estimates, 'requests'),
      floorMs: Math.max(0, ...floors),
    },
  };
}

const sumOf = (
  estimates: readonly WorkEstimate[],
  count: 'runs' | 'series' | 'candles' | 'requests' | 'weight',
): number => estimates.reduce((sum, one) => sum + one[count], 0);

async function estimateVenue(
  pipeline: Pipeline,
  work: WorkRequest,
  of: Pick<VenueScope, 'exchange' | 'symbols' | 'interval'>,
): Promise<WorkEstimate> {
  const { exchange, interval } = of;
  const { adapter, origins } = venueOf(pipeline.venues, exchange);
  const removed = await removedFrom(pipeline, exchange);
  const chunks = chunksOf(work.days, interval);
  const toRequest: SeriesPlan[] = [];
  for (const { start, end } of chunks) {
    const plans = await plansOf(pipeline, { ...work, ...of, days: daysBetween(start, end) }, removed);
    toRequest.push(...plans.filter(({ toFetch }) => toFetch.length > 0));
  }
  const bySymbol = Map.groupBy(toRequest, ({ series }) => series.symbol);
  // With `missing`, a page may cover days of two runs.
  const fetches = work.selection === 'missing' ? [...bySymbol.values()].map(joined) : toRequest;
  const pages = fetches.flatMap(({ series, toFetch }) => planPages(series, toFetch, adapter.rowsPerPageMax));
  const nowMs = pipeline.ports.clock.nowMs();
  const spent = {
    requests: pages.length,
    weight: pages.reduce((sum, page) => sum + adapter.candlesRequest(origins[0] ?? '', page, nowMs).weight, 0),
  };
  return {
    exchange,
    interval,
    days: work.days,
    runs: chunks.length,
    series: bySymbol.size,
    candles: pages.reduce((sum, { range }) => sum + candlesIn(range, interval), 0),
    ...spent,
    floorMs: floorOf(pipeline, exchange, spent),
  };
}

const joined = (plans: readonly SeriesPlan[]): Pick<SeriesPlan, 'series' | 'toFetch'> => ({
  series: (plans[0] as SeriesPlan).series,
  toFetch: plans.flatMap(({ toFetch }) => toFetch),
});

interface Spent {
  readonly requests: number;
  readonly weight: number;
}

const floorOf = ({ venues, settings }: Pipeline, exchange: Exchange, spent: Spent): number =>
  Math.max(0, ...venueOf(venues, exchange).adapter.limits.map((limit) => spendingMs(limit, spent, settings.rateShare)));

/** Least time to spend this much at our share of a limit. The first window is granted at once. */
export function spendingMs(limit: RateLimit, { requests, weight }: Spent, share: number): number {
  const granted = limit.limit * share;
  const cost = limit.counts === 'weight' ? weight : requests * costOf(limit, 1);
  if (cost <= granted) return 0;
  // An aligned window grants its whole share at its start; a sliding window grants it continuously.
  return limit.shape === 'aligned'
    ? (Math.ceil(cost / granted) - 1) * limit.windowMs
    : Math.ceil(((cost - granted) / granted) * limit.windowMs);
}
