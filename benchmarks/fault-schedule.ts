import { seededRandom } from '../src/platform/seeded-random.ts';
import { NO_FAULTS, type FaultPlan, type FaultInjection, type FaultSpec } from '../src/simulation/fault-plan.ts';
import { pagesOf, type Workload } from './workload.ts';

const CANDLES = { path: '/api/v3/klines' } as const;

/** How long the exchange responds 429, and how long it resets every connection. Unit: milliseconds. */
export const CLOSED_MS = 5_000;
export const RESETS_MS = 10_000;

/** The fault plan of a workload whose first request comes at `startMs` and which takes at least `leastMs`. */
export function planOf(
  workload: Workload,
  { startMs, leastMs }: { readonly startMs: number; readonly leastMs: number },
): FaultPlan {
  switch (workload.schedule) {
    case 'none':
      return NO_FAULTS;
    case 'faults':
      return faultsOf(workload, { startMs, leastMs });
    case 'malformed':
      return malformedOf(workload);
    default:
      return workload.schedule satisfies never;
  }
}

/** 5 % 500s, 2 % requests without response, 5 s of 429 with Retry-After, 10 s of resets, one truncated body. */
function faultsOf(
  workload: Workload,
  { startMs, leastMs }: { readonly startMs: number; readonly leastMs: number },
): FaultPlan {
  const [closedMs, resetsMs] = [startMs + leastMs * 0.3, startMs + leastMs * 0.55];
  return {
    seed: workload.seed,
    rules: [
      {
        on: { fromMs: closedMs, toMs: closedMs + CLOSED_MS },
        fault: { kind: 'status', status: 429, retryAfter: String(CLOSED_MS / 1_000), venueCode: -1003 },
      },
      { on: { fromMs: resetsMs, toMs: resetsMs + RESETS_MS }, fault: { kind: 'reset' } },
      { match: CANDLES, on: { nth: [Math.ceil(pagesOf(workload) / 3)] }, fault: { kind: 'truncated-json' } },
      { match: CANDLES, on: { ratio: 0.05 }, fault: { kind: 'status', status: 500, body: 'html' } },
      { match: CANDLES, on: { ratio: 0.02 }, fault: { kind: 'silence' } },
    ],
  };
}

/** Malformed responses with status 200. */
const MALFORMED: readonly FaultSpec[] = [
  { kind: 'html' },
  { kind: 'empty-body' },
  { kind: 'empty-list' },
  { kind: 'wrong-shape' },
  { kind: 'wrong-unit' },
  { kind: 'truncated-json' },
  { kind: 'short-page', keptRatio: 0.5 },
  { kind: 'sparse-page', every: 97 },
  { kind: 'duplicate-rows', rows: 3 },
  { kind: 'null-fields', rows: 2 },
  { kind: 'foreign-rows', how: 'added' },
  { kind: 'foreign-rows', how: 'instead' },
  { kind: 'invalid-rows', rule: 'ohlc-order', rows: 2 },
  { kind: 'invalid-rows', rule: 'volume-negative', rows: 2 },
  { kind: 'invalid-rows', rule: 'price-not-positive', rows: 2 },
  { kind: 'invalid-rows', rule: 'not-finite', rows: 1 },
];

/** One page in this many is malformed. */
const PAGES_PER_FAULT = 8;

/**
 * Each kind occurs equally often, at positions that the seed chooses among the requests that every client must send.
 * The label in the seed stays as it is: another one would move the faults of the published figures.
 */
function malformedOf(workload: Workload): FaultPlan {
  const random = seededRandom(`${workload.seed}/zoo`);
  const pages = pagesOf(workload);
  const positions = Array.from({ length: pages }, (_, at) => ({ at: at + 1, key: random.next() })).toSorted(
    (a, b) => a.key - b.key,
  );
  const each = Math.max(1, Math.floor(pages / PAGES_PER_FAULT / MALFORMED.length));
  const rules = MALFORMED.map(
    (fault, kind): FaultInjection => ({
      match: CANDLES,
      on: { nth: positions.slice(kind * each, (kind + 1) * each).map(({ at }) => at) },
      fault,
    }),
  );
  return { seed: workload.seed, rules };
}
