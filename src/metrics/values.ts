import type { Operation } from '../platform/ports/store.ts';
import { all, exec } from '../platform/statements.ts';
import type { HistogramSample, MetricSamples, Sample } from './exposition.ts';
import { DURATION_BOUNDS_S, familyOf, isMetricName } from './families.ts';

/** Bucket of plain values and of a histogram's sum; a histogram's observations are in buckets 0, 1, ... */
const NO_BUCKET = -1;

/**
 * Adds to counters in the transaction of the counted event, so that short commands count and nothing counts twice. A
 * value of 0 creates the series.
 */
export function* addCounts(counts: readonly Sample[]): Operation<void> {
  for (const { name, labels, value } of counts) yield* add(name, { labels, bucket: NO_BUCKET, value });
}

/** Counts one observation of a duration. */
export function* observeDuration({ name, labels, value: seconds }: Sample): Operation<void> {
  const at = DURATION_BOUNDS_S.findIndex((bound) => seconds <= bound);
  yield* add(name, { labels, bucket: at < 0 ? DURATION_BOUNDS_S.length : at, value: 1 });
  yield* add(name, { labels, bucket: NO_BUCKET, value: seconds });
}

function* add(
  name: string,
  { labels, bucket, value }: { readonly labels: Sample['labels']; readonly bucket: number; readonly value: number },
): Operation<void> {
  yield* exec(
    `insert into metric_values (name, labels, bucket, value) values ($1, $2, $3, $4)
     on conflict (name, labels, bucket) do update set value = metric_values.value + excluded.value`,
    name,
    labelsText(labels),
    bucket,
    value,
  );
}

export function* setGauges(gauges: readonly Sample[]): Operation<void> {
  for (const { name, labels, value } of gauges) {
    yield* exec(
      `insert into metric_values (name, labels, bucket, value) values ($1, $2, ${NO_BUCKET}, $3)
       on conflict (name, labels, bucket) do update set value = excluded.value`,
      name,
      labelsText(labels),
      value,
    );
  }
}

/** All stored values. Metric names of another release are skipped. */
export function* storedSamples(): Operation<MetricSamples> {
  const rows = yield* all<{ name: string; labels: string; bucket: number; value: number }>(
    'select name, labels, bucket, value from metric_values order by name, labels, bucket',
  );
  const samples: Sample[] = [];
  const histograms: HistogramSample[] = [];
  for (const own of Map.groupBy(rows, (row) => `${row.name} ${row.labels}`).values()) {
    const { name, labels: text } = own[0]!;
    if (!isMetricName(name)) continue;
    const labels = labelsFromText(text);
    const valueIn = (bucket: number): number => own.find((row) => row.bucket === bucket)?.value ?? 0;
    if (familyOf(name).type === 'histogram')
      histograms.push({
        name,
        labels,
        buckets: Array.from({ length: DURATION_BOUNDS_S.length + 1 }, (_, bucket) => valueIn(bucket)),
        sum: valueIn(NO_BUCKET),
      });
    else samples.push({ name, labels, value: valueIn(NO_BUCKET) });
  }
  return { samples, histograms };
}

const labelsFromText = (text: string): Sample['labels'] => JSON.parse(text) as Sample['labels'];

const labelsText = (labels: Sample['labels']): string =>
  JSON.stringify(Object.fromEntries(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))));
