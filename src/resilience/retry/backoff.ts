import type { Backoff } from '../../errors/schedule.ts';

/** Upper bound of the wait before retry `retry` (1 is the first), before any hint of the server. Unit: milliseconds. */
export function backoffBoundMs(backoff: Backoff, retry: number): number {
  switch (backoff.shape) {
    case 'fixed':
      return backoff.baseMs;
    case 'immediate':
      return retry <= 1 ? 0 : doubled(backoff, retry - 1);
    case 'exponential':
      return doubled(backoff, retry);
    default:
      return backoff.shape satisfies never;
  }
}

const doubled = ({ baseMs, capMs }: Backoff, retry: number): number => Math.min(capMs, baseMs * 2 ** (retry - 1));

/**
 * The wait before retry `retry`, with full jitter: a random time up to the bound, so that clients do not retry
 * together, and at least the server's hint (`hintMs`). A fixed wait applies only without a hint. `chance` in [0, 1).
 */
export function backoffMs(
  backoff: Backoff | null,
  retry: number,
  { chance, hintMs }: { readonly chance: number; readonly hintMs: number | null },
): number {
  if (backoff === null) return hintMs ?? 0;
  if (backoff.shape === 'fixed') return hintMs ?? backoff.baseMs;
  return Math.max(Math.round(backoffBoundMs(backoff, retry) * chance), hintMs ?? 0);
}
