import type { ResponseMetadata } from '../policies.ts';

/** Bounds of a venue's clock minus ours. */
interface ClockOffset {
  readonly lowMs: number;
  readonly highMs: number;
  /** When these bounds were found, on our clock. */
  readonly atMs: number;
}

/** How far off a clock is believed to be whose venue answers without a `Date`. */
const UNDATED_MS = 250;
/** `Date` has whole seconds: the venue's clock may be anywhere in the one it names. */
const DATE_STEP_MS = 1_000;
/** Two clocks drift apart by no more than this. Source: ordinary quartz is within 100 parts per million. */
const DRIFT_RATIO = 0.000_1;
/** Bounds that drifted for longer than this tell nothing any more. Unit: milliseconds. */
const KNOWN_FOR_MS = 1_800_000;
/** Our own clock is read in whole milliseconds, and timers are not exact. */
const READING_MS = 2;

/**
 * Narrows the bounds by one answer. The venue read its clock after the request left and before the
 * answer was there, so many answers together tell the offset to about one journey although each gives
 * whole seconds only. An answer that contradicts the bounds means that a clock was set: it alone counts.
 */
function narrow(
  known: ClockOffset,
  metadata: Pick<ResponseMetadata, 'sentAtMs' | 'answeredAtMs'> & { readonly dateMs: number },
): ClockOffset {
  const lowMs = metadata.dateMs - metadata.answeredAtMs - READING_MS;
  const highMs = metadata.dateMs + DATE_STEP_MS - metadata.sentAtMs + READING_MS;
  const widened = widen(known, metadata.answeredAtMs);
  const narrowed = {
    lowMs: Math.max(widened.lowMs, lowMs),
    highMs: Math.min(widened.highMs, highMs),
    atMs: metadata.answeredAtMs,
  };
  return narrowed.lowMs <= narrowed.highMs ? narrowed : { lowMs, highMs, atMs: metadata.answeredAtMs };
}

function widen({ lowMs, highMs, atMs }: ClockOffset, nowMs: number): ClockOffset {
  const driftMs = Math.abs(nowMs - atMs) * DRIFT_RATIO;
  return { lowMs: lowMs - driftMs, highMs: highMs + driftMs, atMs: nowMs };
}

const ANYTHING: ClockOffset = { lowMs: -Infinity, highMs: Infinity, atMs: 0 };

/** A venue's clock as far as its answers tell. */
export interface ExchangeClock {
  /** How a request ended; null without an answer. */
  observe(metadata: ResponseMetadata | null): void;
  /** False while nothing was heard lately: whoever sends only one request until then is wrong by that one at most. */
  hasObserved(nowMs: number): boolean;
  /** The earliest and the latest the venue's clock may show when ours shows `nowMs`. */
  at(nowMs: number): { readonly earliestMs: number; readonly latestMs: number };
}

export function exchangeClock(): ExchangeClock {
  let dated: ClockOffset | null = null;
  let wasUndated = false;
  const knownAt = (nowMs: number): ClockOffset | null =>
    dated !== null && Math.abs(nowMs - dated.atMs) <= KNOWN_FOR_MS ? dated : null;
  return {
    observe: (metadata) => {
      wasUndated ||= typeof metadata?.dateMs !== 'number';
      if (typeof metadata?.dateMs === 'number')
        dated = narrow(knownAt(metadata.answeredAtMs) ?? ANYTHING, { ...metadata, dateMs: metadata.dateMs });
    },
    hasObserved: (nowMs) => knownAt(nowMs) !== null || wasUndated,
    at: (nowMs) => {
      const known = knownAt(nowMs);
      const undatedMs = wasUndated ? UNDATED_MS : 0;
      const { lowMs, highMs } = known === null ? { lowMs: -undatedMs, highMs: undatedMs } : widen(known, nowMs);
      return { earliestMs: nowMs + lowMs, latestMs: nowMs + highMs };
    },
  };
}
