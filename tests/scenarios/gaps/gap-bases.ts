import { holesIn, type Span } from './page-requests.ts';
import type { Base } from './gap-kinds.ts';
import type { Recording } from './recordings.ts';

/** Shorter recordings hold too little history. */
const CANDLES_MIN = 700;
const SYMBOLS_MAX = 6;
/** A longer recorded hole is an outage of one of the recordings; the window ends before it. Unit: candles. */
const HOLE_CANDLES_MAX = 5;

/**
 * Venues made of recordings of the same time and candle length. One fills candles without trades and is made of
 * recordings of venues that do; one omits them and is made of all recordings without their flat rows. No year of
 * minutes of a whole venue is recorded, but the minutes in which each of these markets did not trade are real.
 */
export function basesOf(recordings: readonly Recording[]): Base[] {
  const bases = new Map<string, Base>();
  for (const emptyCandles of ['flat', 'omitted'] as const) {
    const usable = recordings.filter(
      ({ rows }) => emptyCandles === 'omitted' || rows.some((row) => row.volume === 0) || isGapless(rows),
    );
    for (const seed of usable) {
      const base = baseAround(
        seed,
        usable.filter((other) => other.stepMs === seed.stepMs),
        emptyCandles,
      );
      if (base !== null) bases.set(base.name, base);
    }
  }
  return [...bases.values()];
}

/** A venue that fills candles without trades has no missing candle in a quiet time. */
const isGapless = (rows: Recording['rows']): boolean => {
  const steps = rows.slice(1).map((row, at) => row.openTimeMs - (rows[at] as { openTimeMs: number }).openTimeMs);
  const stepMs = Math.min(...steps.slice(0, 1_000));
  return steps.filter((one) => one > stepMs && one <= HOLE_CANDLES_MAX * stepMs).length === 0;
};

function baseAround(seed: Recording, others: readonly Recording[], emptyCandles: Base['emptyCandles']): Base | null {
  const { stepMs } = seed;
  let span: Span = { fromMs: seed.fromMs, toMs: seed.toMs };
  const recordings: Recording[] = [];
  for (const recording of [seed, ...others.filter((other) => other !== seed)]) {
    const shared = calmSpan(
      { fromMs: Math.max(span.fromMs, recording.fromMs), toMs: Math.min(span.toMs, recording.toMs) },
      recording,
    );
    if (
      shared === null ||
      recordings.length === SYMBOLS_MAX ||
      recordings.some((one) => one.exchange === recording.exchange && one.symbol === recording.symbol)
    )
      continue;
    span = shared;
    recordings.push(recording);
  }
  const symbols = recordings.map(({ exchange, symbol }) => `${exchange} ${symbol}`).toSorted();
  if (recordings.length === 0) return null;
  return {
    name: `${emptyCandles} ${seed.interval} ${new Date(span.fromMs).toISOString().slice(0, 10)} ${symbols.join(', ')}`,
    emptyCandles,
    stepMs,
    span,
    recordings,
  };
}

/** The longest part of `span` in which the recording has no long hole; null when it is too short. */
function calmSpan(span: Span, { rows, stepMs }: Recording): Span | null {
  const long = holesIn(span, new Set(rows.map((row) => row.openTimeMs)), stepMs).filter(
    ({ fromMs, toMs }) => (toMs - fromMs) / stepMs > HOLE_CANDLES_MAX,
  );
  const edges = [span.fromMs, ...long.flatMap(({ fromMs, toMs }) => [fromMs, toMs]), span.toMs];
  const calm = Array.from({ length: edges.length / 2 }, (_, at) => ({
    fromMs: edges[2 * at] as number,
    toMs: edges[2 * at + 1] as number,
  }));
  const longest = calm.toSorted((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs))[0];
  return longest === undefined || (longest.toMs - longest.fromMs) / stepMs < CANDLES_MIN ? null : longest;
}
