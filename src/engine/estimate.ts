import { daysBetween } from '../market/partition.ts';
import { candlesIn } from '../market/range.ts';
import { planPages } from '../data/exchanges/planner.ts';
import { chunksOf } from './chunks.ts';
import type { Pipeline } from './pipeline.ts';
import { planOf } from './venue-turn.ts';
import { venueOf } from './venues.ts';
import type { WorkEstimate, WorkRequest } from './work.ts';

/** What a request would ask of each venue, run by run, without asking. Second looks and retries are not foreseen. */
export async function estimate(pipeline: Pipeline, work: WorkRequest): Promise<readonly WorkEstimate[]> {
  const estimates: WorkEstimate[] = [];
  for (const interval of work.intervals) {
    for (const days of chunksOf(work.days, interval)) {
      for (const [exchange, symbols] of work.markets) {
        const { adapter, origins } = venueOf(pipeline.venues, exchange);
        let [series, candles, requests, weight] = [0, 0, 0, 0];
        for (const symbol of symbols) {
          const plan = await planOf(pipeline, { ...work, series: { exchange, symbol, interval }, days: daysBetween(days.start, days.end) });
          const pages = planPages(plan.series, plan.ask, adapter.rowsPerPageMax);
          series += pages.length > 0 ? 1 : 0;
          candles += plan.ask.reduce((sum, range) => sum + candlesIn(range, interval), 0);
          requests += pages.length;
          weight += pages.reduce((sum, page) => sum + adapter.candlesRequest(origins[0] ?? '', page, pipeline.ports.clock.nowMs()).weight, 0);
        }
        const slowest = Math.max(0, ...adapter.limits.map((limit) => Math.ceil(weight / (limit.limit * pipeline.settings.rateShare)) * limit.windowMs - limit.windowMs));
        estimates.push({ interval, exchange, days, series, candles, requests, weight, floorMs: slowest });
      }
    }
  }
  return estimates;
}
