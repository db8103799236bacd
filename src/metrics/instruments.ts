import type { Instrument, Reading } from '../platform/ports/telemetry.ts';
import { histogramSeries, type MetricSamples } from './exposition.ts';
import { familyOf, METRIC_NAMES } from './families.ts';

/**
 * Every family as OpenTelemetry can observe it. What was counted in other processes and lies in the store
 * can be read as counters and gauges only: a histogram's series stand as counters, under the names that
 * Prometheus gives them.
 */
export const INSTRUMENTS: readonly Instrument[] = METRIC_NAMES.flatMap((name): Instrument[] => {
  const { type, help } = familyOf(name);
  return type === 'histogram'
    ? ['bucket', 'sum', 'count'].map((part) => ({ name: `${name}_${part}`, kind: 'counter', help }))
    : [{ name, kind: type, help }];
});

/** The values of the page, one by one. */
export const readingsOf = ({ samples, histograms }: MetricSamples): readonly Reading[] => [
  ...samples,
  ...histograms.flatMap(histogramSeries),
];
