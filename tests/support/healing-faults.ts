import { seededRandom } from '../../src/platform/seeded-random.ts';
import type { FaultSpec, RequestMatch, FaultPlan } from '../../src/simulation/fault-plan.ts';

/** Faults that heal when they hit a single request. */
export const HEALING_FAULTS: readonly FaultSpec[] = [
  { kind: 'status', status: 429, retryAfter: '1' },
  { kind: 'status', status: 500, body: 'html' },
  { kind: 'status', status: 503, body: 'empty' },
  { kind: 'status', status: 504 },
  { kind: 'ban', forMs: 1_500 },
  { kind: 'silence' },
  { kind: 'stall' },
  { kind: 'reset' },
  { kind: 'cut' },
  { kind: 'truncated-json' },
  { kind: 'html' },
  { kind: 'empty-body' },
  { kind: 'empty-list' },
  { kind: 'wrong-shape' },
  { kind: 'wrong-unit' },
  { kind: 'short-page', keptRatio: 0.5 },
  { kind: 'null-fields', rows: 2 },
  { kind: 'invalid-rows', rule: 'ohlc-order', rows: 2 },
  { kind: 'invalid-rows', rule: 'not-finite', rows: 1 },
  { kind: 'invalid-rows', rule: 'no-number', rows: 1 },
  { kind: 'duplicate-rows', rows: 3 },
  { kind: 'foreign-rows', how: 'instead' },
  { kind: 'foreign-rows', how: 'added' },
];

/** Every fault that heals within one run, one after another over the matching requests, in an order set by the seed. */
export function everyHealingFault(seed: string, match: RequestMatch = { only: 'candles' }): FaultPlan {
  const random = seededRandom(`${seed}/order`);
  const shuffled = HEALING_FAULTS.map((fault) => ({ fault, key: random.next() })).toSorted((a, b) => a.key - b.key);
  // Every second request succeeds: a cell whose second attempt fails too would rightly stay pending.
  return { seed, rules: shuffled.map(({ fault }, at) => ({ match, on: { nth: [2 * at + 1] }, fault })) };
}
