import { execFileSync } from 'node:child_process';

/** Resident memory of a process at one moment. */
export interface MemorySample {
  /** Since the process (or the soak) began. Unit: milliseconds. */
  readonly ageMs: number;
  readonly rssKb: number;
}

/** Resident memory of a process in kilobytes; null when it is gone. */
export function rssKbOf(pid: number): number | null {
  try {
    const rss = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
    return rss > 0 ? rss : null;
  } catch (error) {
    if ((error as { status?: number }).status === 1) return null;
    throw error;
  }
}

/** Growth from one figure to another. A ratio of 0.1 is a tenth more. */
export interface Growth {
  readonly fromKb: number;
  readonly toKb: number;
  readonly ratio: number;
  /** Number of figures compared, after warm-up. */
  readonly figures: number;
}

const growth = (fromKb: number, toKb: number, figures: number): Growth => ({
  fromKb,
  toKb,
  ratio: toKb / fromKb - 1,
  figures,
});

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Share of the soak that is left out of every comparison, because caches and the garbage collector still settle. */
export const WARM_UP_RATIO = 1 / 3;
/** With fewer figures on either side there is no result. */
const FIGURES_MIN = 2;

/** One process: the median of the first quarter after warm-up and that of the last. Null with too few samples. */
export function growthOfProcess(samples: readonly MemorySample[], spanMs: number): Growth | null {
  const warm = samples.filter(({ ageMs }) => ageMs >= spanMs * WARM_UP_RATIO);
  const quarter = Math.floor(warm.length / 4);
  if (quarter < FIGURES_MIN) return null;
  const of = (part: readonly MemorySample[]): number => median(part.map(({ rssKb }) => rssKb));
  return growth(of(warm.slice(0, quarter)), of(warm.slice(-quarter)), warm.length);
}

/** One lifetime of a daemon that is killed and restarted. */
export interface Lifetime {
  /** Since the soak began. Unit: milliseconds. */
  readonly beganMs: number;
  readonly samples: readonly MemorySample[];
}

/**
 * All lifetimes at the same age: the mean of the first half after warm-up and that of the second. Null when too few
 * reached that age.
 */
export function growthOverLifetimes(
  lifetimes: readonly Lifetime[],
  { ageMs, spanMs }: { readonly ageMs: number; readonly spanMs: number },
): Growth | null {
  const figures = lifetimes
    .filter(({ beganMs }) => beganMs >= spanMs * WARM_UP_RATIO)
    .flatMap(({ samples }) => samples.find((sample) => sample.ageMs >= ageMs)?.rssKb ?? []);
  const half = Math.floor(figures.length / 2);
  return half < FIGURES_MIN ? null : growth(mean(figures.slice(0, half)), mean(figures.slice(-half)), figures.length);
}
