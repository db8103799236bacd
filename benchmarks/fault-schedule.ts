import { seededRandom } from '../src/platform/seeded-random.ts';
import { NO_FAULTS, type FaultPlan, type FaultInjection, type FaultSpec } from '../src/simulation/fault-plan.ts';
import { pagesOf, type Workload } from './workload.ts';

const CANDLES = { path: '/api/v3/klines' } as const;

/** How long the exchange says 429, and how long it resets every connection. Unit: milliseconds. */
export const GATE_MS = 5_000;
export const RESETS_MS = 10_000;

/** The fault plan of a course whose first request comes at `startMs` and that takes at least `floorMs`. */
export function planOf(
  workload: Workload,
  { startMs, floorMs }: { readonly startMs: number; readonly floorMs: number },
): FaultPlan {
  switch (workload.schedule) {
    case 'calm':
      return NO_FAULTS;
    case 'storm':
      return stormOf(workload, { startMs, floorMs });
    case 'zoo':
      return zooOf(workload);
    default:
      return workload.schedule satisfies never;
  }
}

/** 5 % 500s, 2 % unanswered requests, 5 s of 429 with Retry-After, 10 s of resets, one truncated body. */
function stormOf(
  workload: Workload,
  { startMs, floorMs }: { readonly startMs: number; readonly floorMs: number },
): FaultPlan {
  const [gateMs, resetsMs] = [startMs + floorMs * 0.3, startMs + floorMs * 0.55];
  return {
    seed: workload.seed,
    rules: [
      {
        on: { fromMs: gateMs, toMs: gateMs + GATE_MS },
        fault: { kind: 'status', status: 429, retryAfter: String(GATE_MS / 1_000), venueCode: -1003 },
      },
      { on: { fromMs: resetsMs, toMs: resetsMs + RESETS_MS }, fault: { kind: 'reset' } },
      { match: CANDLES, on: { nth: [Math.ceil(pagesOf(workload) / 3)] }, fault: { kind: 'truncated-json' } },
      { match: CANDLES, on: { ratio: 0.05 }, fault: { kind: 'status', status: 500, body: 'html' } },
      { match: CANDLES, on: { ratio: 0.02 }, fault: { kind: 'silence' } },
    ],
  };
}

/** Answers with status 200 that are not what they seem. */
const ZOO: readonly FaultSpec[] = [
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

/** Of the pages of a course, one in so many is malformed. */
const PAGES_PER_ANIMAL = 8;

/** Every animal as often as any other, at places that the seed chooses among the requests that every client must send. */
function zooOf(workload: Workload): FaultPlan {
  const random = seededRandom(`${workload.seed}/zoo`);
  const pages = pagesOf(workload);
  const places = Array.from({ length: pages }, (_, at) => ({ at: at + 1, key: random.next() })).toSorted(
    (a, b) => a.key - b.key,
  );
  const each = Math.max(1, Math.floor(pages / PAGES_PER_ANIMAL / ZOO.length));
  const rules = ZOO.map(
    (fault, kind): FaultInjection => ({
      match: CANDLES,
      on: { nth: places.slice(kind * each, (kind + 1) * each).map(({ at }) => at) },
      fault,
    }),
  );
  return { seed: workload.seed, rules };
}
