import { DAY_MS } from '../../domain/interval.ts';
import { outboxState } from '../../alerting/outbox/outbox.ts';
import { ledgerTotals } from '../../state/cells.ts';
import { runsFinishedSince } from '../../state/runs.ts';
import { exposition, type MetricSamples, type Sample } from '../../metrics/exposition.ts';
import { gapMetrics, watermarkMetrics } from '../../metrics/ledger-metrics.ts';
import { ruleMetrics } from '../../metrics/rule-states.ts';
import { storedSamples } from '../../metrics/values.ts';
import { limitsInForce, statedLimits } from '../../resilience/rate-limit/stated-limits.ts';
import { breakerStates } from '../../resilience/breaker/shared-breaker.ts';
import { windowUses } from '../../resilience/rate-limit/window-store.ts';
import { finalFailures } from '../recovery/final-failures.ts';
import type { Markets } from '../core/symbol-resolution.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { watermarksOf } from './watermarks.ts';
import { venueOf } from '../core/exchanges.ts';

/** Every metric in Prometheus' text format. */
export async function metricsPage(pipeline: Pipeline, markets: Markets): Promise<string> {
  const { samples, histograms } = await metricsNow(pipeline, markets);
  return exposition(samples, histograms);
}

/** Every metric: the counters of all processes and the current gauges. */
export async function metricsNow(pipeline: Pipeline, markets: Markets): Promise<MetricSamples> {
  const { store, clock } = pipeline.ports;
  const nowMs = clock.nowMs();
  const stored = await store.read(storedSamples);
  const runs = await store.read(runsFinishedSince, nowMs - DAY_MS);
  const now = await store.read(function* metricsNow() {
    const outbox = yield* outboxState();
    const oldestMs = outbox.oldestAtMs === null ? 0 : Math.max(0, nowMs - outbox.oldestAtMs);
    const oldest: Sample = { name: 'pipeline_alert_outbox_oldest_seconds', labels: {}, value: oldestMs / 1_000 };
    return [...gapMetrics(yield* ledgerTotals()), ...(yield* ruleMetrics()), oldest];
  });
  const samples = [
    infoOf(pipeline.settings.tags),
    ...stored.samples,
    ...now,
    ...(await finalFailures(pipeline, runs)),
    ...watermarkMetrics(await watermarksOf(pipeline, markets), nowMs),
    ...(await venueSamples(pipeline, markets)),
  ];
  return { samples, histograms: stored.histograms };
}

/** Only tags with a meaning become labels: free tags would make unbounded series. Runs and alerts carry all tags. */
const infoOf = ({ team = '', criticality = '', alert_channel = '' }: Readonly<Record<string, string>>): Sample => ({
  name: 'pipeline_info',
  labels: { team, criticality, alert_channel },
  value: 1,
});

const BREAKER_VALUES = { closed: 0, 'half-open': 1, open: 2 } as const;

/** Breaker states, and the used share of each rate-limit window across processes. */
async function venueSamples({ ports, venues }: Pipeline, markets: Markets): Promise<Sample[]> {
  const nowMs = ports.clock.nowMs();
  const { breakers, used } = await ports.limits.read(function* venueMetrics() {
    const used: Sample[] = [];
    for (const use of yield* windowUses()) {
      if (!venues.has(use.exchange)) continue;
      const limits = limitsInForce(
        venueOf(venues, use.exchange).adapter.limits,
        (yield* statedLimits(use))?.limits ?? [],
      );
      const limit = limits.find(({ name, windowMs }) => name === use.name && windowMs === use.windowMs)?.limit;
      const isNow = Math.floor(nowMs / use.windowMs) === use.index;
      if (limit !== undefined)
        used.push({
          name: 'pipeline_ratelimit_used_ratio',
          labels: { exchange: use.exchange, limit: `${use.name}/${use.windowMs / 1_000}s` },
          value: isNow ? use.used / limit : 0,
        });
    }
    return { breakers: yield* breakerStates(), used };
  });
  const worst = (exchange: string): number =>
    Math.max(0, ...breakers.filter((one) => one.exchange === exchange).map(({ phase }) => BREAKER_VALUES[phase]));
  return [
    ...[...markets.keys()].map(
      (exchange): Sample => ({ name: 'pipeline_breaker_state', labels: { exchange }, value: worst(exchange) }),
    ),
    ...distinct(used),
  ];
}

/** With several egresses the fullest window counts. */
const distinct = (samples: readonly Sample[]): Sample[] =>
  [...Map.groupBy(samples, ({ labels }) => JSON.stringify(labels)).values()].map((own) =>
    own.reduce((a, b) => (b.value > a.value ? b : a)),
  );
