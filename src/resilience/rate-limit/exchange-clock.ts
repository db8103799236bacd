import type { ResponseMetadata } from '../policies.ts';

/** Bounds of a venue's clock minus ours. */
interface ClockOffset {
  readonly lowMs: number;
  readonly highMs: number;
  /** When these bounds were found, on our clock. */
  readonly atMs: number;
}

/** Assumed offset of a venue's clock if its responses have no `Date`. Unit: milliseconds. */
const UNDATED_MS = 250;
/** `Date` has whole seconds: the venue's clock may be anywhere within the stated second. */
const DATE_STEP_MS = 1_000;
/** Maximum drift between two clocks. Source: ordinary quartz is within 100 parts per million. */
const DRIFT_RATIO = 0.000_1;
/** Bounds older than this have drifted too far to be used. Unit: milliseconds. */
const KNOWN_FOR_MS = 1_800_000;
/** Error of reading our own clock, which has whole milliseconds. */
const READING_MS = 2;

/**
 * Narrows the bounds by one response. The venue read its clock between our sending the request and our receiving the
 * response. So many responses bound the offset to about one latency, although each states whole seconds only. A
 * response that contradicts the bounds means that a clock was set: the new bounds come from it alone.
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

/** A venue's clock, as its responses show it. */
export interface ExchangeClock {
  /** The end of a request; null without a response. */
  observe(metadata: ResponseMetadata | null): void;
  /** False without a recent response. A caller that sends only one request meanwhile risks only that one. */
  hasObserved(nowMs: number): boolean;
  /** The earliest and the latest time that the venue's clock may show when ours shows `nowMs`. */
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
