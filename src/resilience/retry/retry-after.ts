/** Whole seconds, as RFC 9110 section 10.2.3 writes a delay. */
const SECONDS = /^\d{1,9}$/;
/** The three date forms of RFC 9110 section 5.6.7 all begin with a day name. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;

/**
 * The wait that a Retry-After header requires from `nowMs` on, never shortened. Null for a missing or unreadable
 * header; 0 for a date that has passed.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | null {
  const text = header?.trim() ?? '';
  if (SECONDS.test(text)) return Number(text) * 1_000;
  if (!HTTP_DATE.test(text)) return null;
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs);
}
