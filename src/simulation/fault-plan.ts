import type { Random } from '../platform/ports/random.ts';
import { seededRandom } from '../platform/seeded-random.ts';
import type { TimeRange } from '../domain/range.ts';
import type { FaultCode } from '../errors/table.ts';

/** One fault of one response. */
export type FaultSpec =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: 'json' | 'html' | 'empty';
      readonly retryAfter?: string;
      readonly venueCode?: number | string;
      readonly means?: FaultCode;
    } // the code that `venueCode` maps to, where the status alone is ambiguous
  | { readonly kind: 'ban'; readonly forMs: number }
  | { readonly kind: 'silence' } // connected, no response
  | { readonly kind: 'stall' } // headers, half the body, nothing more
  | { readonly kind: 'reset' }
  | { readonly kind: 'answer-lost' } // the request takes effect, then the connection is reset
  | { readonly kind: 'cut' } // the connection closes inside the body
  | { readonly kind: 'truncated-json' }
  | { readonly kind: 'html' }
  | { readonly kind: 'empty-body' }
  | { readonly kind: 'empty-list' }
  | { readonly kind: 'wrong-shape' } // the rows in another container
  | { readonly kind: 'wrong-unit'; readonly factor?: 1_000_000 | 1_000 | 0.001 } // of the venue's unit; default 1,000
  | { readonly kind: 'short-page'; readonly keptRatio: number }
  | { readonly kind: 'sparse-page'; readonly every: number } // every `every`-th row is left out
  | { readonly kind: 'missing-rows'; readonly fromMs: number; readonly toMs: number }
  | {
      readonly kind: 'invalid-rows';
      readonly rule: 'ohlc-order' | 'volume-negative' | 'price-not-positive' | 'not-finite' | 'no-number';
      readonly rows: number;
    }
  | { readonly kind: 'duplicate-rows'; readonly rows: number }
  | { readonly kind: 'null-fields'; readonly rows: number }
  | { readonly kind: 'foreign-rows'; readonly how: 'added' | 'instead' } // from before the requested range
  | { readonly kind: 'slow'; readonly delayMs: number };

/** Which of the matching requests are hit, counted from 1. */
export type InjectionTrigger =
  | { readonly nth: readonly number[] }
  | { readonly every: number }
  | { readonly ratio: number }
  | { readonly fromMs: number; readonly toMs: number };

export interface FaultInjection {
  /**
   * All given fields must match; without fields every request does. Fields other than `path` match candle requests
   * only.
   */
  readonly match?: RequestMatch;
  readonly on: InjectionTrigger;
  readonly fault: FaultSpec;
}

export interface RequestMatch {
  readonly path?: string;
  readonly only?: 'candles';
  /** In the venue's spelling. */
  readonly symbol?: string;
  readonly interval?: string;
  /** The requested range lies within this one. */
  readonly within?: TimeRange;
}

/** A schedule of faults as plain JSON. The same seed and requests give the same faults. */
export interface FaultPlan {
  readonly seed: string;
  readonly rules: readonly FaultInjection[];
}

export const NO_FAULTS: FaultPlan = { seed: 'none', rules: [] };

/** Every matching request gets the fault; without `match`, every request does. */
export const always = (fault: FaultSpec, match?: RequestMatch): FaultPlan => ({
  seed: 'always',
  rules: [{ ...(match ? { match } : {}), on: { every: 1 }, fault }],
});

/** The candles that a request asks for. */
export interface RequestedCandles {
  /** In the venue's spelling. */
  readonly symbol: string;
  /** In our spelling; as in the request when the venue does not know it. */
  readonly interval: string;
  /** 0 or Infinity where the request has no bound. */
  readonly range: TimeRange;
}

/** The part of a request that a fault plan uses. */
export interface PlannedRequest {
  readonly path: string;
  readonly candles: RequestedCandles | null;
  readonly nowMs: number;
}

/** Chooses the fault of each request, in order of arrival; the first rule that applies wins. */
export function faultChooser(plan: FaultPlan): (request: PlannedRequest) => FaultSpec | null {
  const rules = plan.rules.map((rule, at) => ({ rule, seen: 0, random: seededRandom(`${plan.seed}/rule ${at}`) }));
  return (request) => {
    let chosen: FaultSpec | null = null;
    for (const state of rules) {
      if (!matches(state.rule, request)) continue;
      state.seen += 1;
      if (applies(state.rule.on, { seen: state.seen, random: state.random, nowMs: request.nowMs }))
        chosen ??= state.rule.fault;
    }
    return chosen;
  };
}

function matches({ match = {} }: FaultInjection, { path, candles }: PlannedRequest): boolean {
  const { path: prefix, ...ofCandles } = match;
  if (prefix !== undefined && !path.startsWith(prefix)) return false;
  if (Object.keys(ofCandles).length === 0) return true;
  const { symbol, interval, within } = ofCandles;
  return (
    candles !== null &&
    (symbol === undefined || symbol === candles.symbol) &&
    (interval === undefined || interval === candles.interval) &&
    (within === undefined || (candles.range.fromMs >= within.fromMs && candles.range.toMs <= within.toMs))
  );
}

function applies(
  on: InjectionTrigger,
  at: { readonly seen: number; readonly random: Random; readonly nowMs: number },
): boolean {
  if ('nth' in on) return on.nth.includes(at.seen);
  if ('every' in on) return at.seen % on.every === 0;
  if ('ratio' in on) return at.random.next() < on.ratio;
  return at.nowMs >= on.fromMs && at.nowMs < on.toMs;
}

/** The code under which a correct client records this fault; null for one that is no fault (a slow response). */
export function codeOfFault(fault: FaultSpec, ownStatuses: Readonly<Record<number, FaultCode>> = {}): FaultCode | null {
  switch (fault.kind) {
    case 'status':
      return fault.means ?? ownStatuses[fault.status] ?? codeOfStatus(fault);
    case 'ban':
      return 'EXCHANGE_IP_BANNED';
    case 'silence':
    case 'stall':
      return 'REQUEST_TIMEOUT';
    case 'reset':
    case 'answer-lost':
    case 'cut':
    case 'truncated-json':
      return 'CONNECTION_FAILED';
    case 'html':
    case 'empty-body':
    case 'wrong-shape':
    case 'wrong-unit':
      return 'SCHEMA_MISMATCH';
    case 'empty-list':
    case 'short-page':
    case 'sparse-page':
    case 'missing-rows':
      return 'ROWS_MISSING';
    case 'null-fields':
    case 'invalid-rows':
      return 'ROWS_INVALID';
    case 'foreign-rows':
      return fault.how === 'added' ? null : 'SCHEMA_MISMATCH';
    case 'duplicate-rows':
      return 'ROWS_DUPLICATE';
    case 'slow':
      return null;
    default:
      return fault satisfies never;
  }
}

/** The fault table's statuses, repeated on purpose: the stand-in must not share the client's mistakes. */
function codeOfStatus({ status, body = 'json' }: Extract<FaultSpec, { kind: 'status' }>): FaultCode {
  if (status === 429) return 'EXCHANGE_RATE_LIMITED';
  if (status === 418) return 'EXCHANGE_IP_BANNED';
  if ([408, 504, 522, 524].includes(status)) return 'REQUEST_TIMEOUT';
  if ([407, 425, 511].includes(status)) return 'CONNECTION_FAILED';
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 403 || status === 451) return 'FORBIDDEN';
  if (status === 404) return body === 'json' ? 'NOT_FOUND' : 'REQUEST_REJECTED';
  if (status >= 500) return 'EXCHANGE_SERVER_ERROR';
  return status >= 400 ? 'REQUEST_REJECTED' : 'SCHEMA_MISMATCH';
}
