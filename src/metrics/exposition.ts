import { DURATION_BOUNDS_S, familyOf, METRIC_NAMES, type MetricName } from './families.ts';

/** One value with exactly the labels of its family. */
export interface Sample {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Observations of one label set: the count in each bucket (the last one is unbounded), and their sum. */
export interface HistogramSample {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly buckets: readonly number[];
  readonly sum: number;
}

/** All values at one moment. */
export interface MetricSamples {
  readonly samples: readonly Sample[];
  readonly histograms: readonly HistogramSample[];
}

/**
 * Prometheus' text format, served as `text/plain; version=0.0.4; charset=utf-8`. Every family has its HELP and TYPE,
 * even without a value; series are in a fixed order. @throws RangeError for a sample with other labels than its family.
 */
export function exposition(samples: readonly Sample[], histograms: readonly HistogramSample[] = []): string {
  const lines = METRIC_NAMES.flatMap((name) => {
    const { type, help } = familyOf(name);
    const plain = samples
      .filter((sample) => sample.name === name)
      .map(({ labels, value }) => line(name, ordered(name, labels), value));
    const own = histograms.filter((sample) => sample.name === name).flatMap(histogramLines);
    return [`# HELP ${name} ${escapedHelp(help)}`, `# TYPE ${name} ${type}`, ...plain.toSorted(), ...own];
  });
  return `${lines.join('\n')}\n`;
}

type Labels = readonly (readonly [label: string, value: string])[];

function ordered(name: MetricName, labels: Readonly<Record<string, string>>): Labels {
  const { labels: expected } = familyOf(name);
  if (Object.keys(labels).toSorted().join() !== expected.toSorted().join())
    throw new RangeError(`${name} has the labels ${expected.join(', ')}, not ${Object.keys(labels).join(', ')}`);
  return expected.map((label) => [label, labels[label] ?? '']);
}

function histogramLines(histogram: HistogramSample): string[] {
  const own = ordered(histogram.name, histogram.labels);
  return histogramSeries(histogram).map(({ name, labels: { le }, value }) =>
    line(name, le === undefined ? own : [...own, ['le', le]], value),
  );
}

/** The series of a histogram as exported, where buckets are cumulative. */
export function histogramSeries({
  name,
  labels,
  buckets,
  sum,
}: HistogramSample): { readonly name: string; readonly labels: Sample['labels']; readonly value: number }[] {
  let count = 0;
  const cumulative = [...DURATION_BOUNDS_S.map(numberText), '+Inf'].map((le, at) => ({
    name: `${name}_bucket`,
    labels: { ...labels, le },
    value: (count += buckets[at] ?? 0),
  }));
  return [...cumulative, { name: `${name}_sum`, labels, value: sum }, { name: `${name}_count`, labels, value: count }];
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = labels.map(([label, text]) => `${label}="${escapedValue(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(value)}`;
}

const escapedValue = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
const escapedHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
