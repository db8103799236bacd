import type { Instrument, Reading } from '../platform/ports/telemetry.ts';
import { histogramSeries, type MetricSamples } from './exposition.ts';
import { familyOf, METRIC_NAMES } from './families.ts';

/**
 * Every family as an observable OpenTelemetry instrument. Values come from the store, which also holds counts of other
 * processes, so they can be observed only as counters and gauges: a histogram becomes one counter per series, named as
 * in Prometheus.
 */
export const INSTRUMENTS: readonly Instrument[] = METRIC_NAMES.flatMap((name): Instrument[] => {
  const { type, help } = familyOf(name);
  return type === 'histogram'
    ? ['bucket', 'sum', 'count'].map((part) => ({ name: `${name}_${part}`, kind: 'counter', help }))
    : [{ name, kind: type, help }];
});

/** The values of the metrics page as readings. */
export const readingsOf = ({ samples, histograms }: MetricSamples): readonly Reading[] => [
  ...samples,
  ...histograms.flatMap(histogramSeries),
];
