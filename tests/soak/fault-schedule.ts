import type { Random } from '../../src/platform/ports/random.ts';
import { seededRandom } from '../../src/platform/seeded-random.ts';
import type { Exchange } from '../../src/domain/exchange.ts';
import type { FaultPlan, FaultInjection, FaultSpec } from '../../src/simulation/fault-plan.ts';
import { HEALING_FAULTS } from '../support/healing-faults.ts';
import type { MailFault } from '../support/stand-ins/stand-in-smtp.ts';

/** When faults may occur. */
export interface ScheduleSpan {
  readonly fromMs: number;
  readonly spanMs: number;
}

/** Every fault around one data directory. */
export interface FaultSchedule {
  readonly venues: ReadonlyMap<Exchange, FaultPlan>;
  readonly hub: FaultPlan;
  /** Commits that succeed without a response. */
  readonly commitsLost: number;
  readonly slack: FaultPlan;
  readonly pagerduty: FaultPlan;
  readonly webhook: FaultPlan;
  readonly mail: readonly MailFault[];
}

/** Each occurs in one of a hundred requests for candles. */
const SPORADIC_FAULTS: readonly FaultSpec[] = [...HEALING_FAULTS, { kind: 'slow', delayMs: 400 }];
const SPORADIC_RATIO = 0.01;
const sporadic: readonly FaultInjection[] = SPORADIC_FAULTS.map((fault) => ({
  match: { only: 'candles' },
  on: { ratio: SPORADIC_RATIO },
  fault,
}));

/**
 * Outages: every request to an exchange fails for a while. `share` is the outage's length as a share of the span: one
 * minute of ten, so that a candle closes during each.
 */
const OUTAGES: ReadonlyMap<Exchange, readonly { readonly share: number; readonly fault: FaultSpec }[]> = new Map([
  [
    'binance',
    [
      { share: 0.1, fault: { kind: 'status', status: 503, body: 'html' } },
      { share: 0.1, fault: { kind: 'status', status: 401 } },
    ],
  ],
  [
    'coinbase',
    [
      { share: 0.1, fault: { kind: 'reset' } },
      { share: 0.1, fault: { kind: 'status', status: 429, retryAfter: '3' } },
    ],
  ],
  [
    'okx',
    [
      { share: 0.1, fault: { kind: 'status', status: 403, body: 'html' } },
      { share: 0.1, fault: { kind: 'silence' } },
    ],
  ],
]);

const flaky = (ratio: number): readonly FaultInjection[] =>
  (
    [
      { kind: 'status', status: 500 },
      { kind: 'reset' },
      { kind: 'answer-lost' },
      { kind: 'status', status: 429, retryAfter: '1' },
    ] as const
  ).map((fault) => ({ on: { ratio: ratio / 4 }, fault }));

const MAIL_FAULTS: readonly MailFault[] = [
  { kind: 'silence' },
  { kind: 'reset' },
  { kind: 'answer-lost' },
  { kind: 'reply', at: 'data', line: '451 try again later' },
];

/** The same seed and span give the same plans. Which request meets which fault depends on the order of the requests. */
export function faultScheduleOf(seed: string, span: ScheduleSpan): FaultSchedule {
  const random = seededRandom(`${seed}/outages`);
  const plan = (name: string, rules: readonly FaultInjection[]): FaultPlan => ({ seed: `${seed}/${name}`, rules });
  return {
    venues: new Map(
      [...OUTAGES].map(([exchange, outages]) => [
        exchange,
        plan(exchange, [
          ...outages.map((outage, at) => outageRule(outage, { at, of: outages.length, span, random })),
          ...sporadic,
        ]),
      ]),
    ),
    hub: plan('hub', [
      outageRule({ share: 0.1, fault: { kind: 'status', status: 503 } }, { at: 0, of: 1, span, random }),
      ...flaky(0.04),
    ]),
    commitsLost: 2,
    slack: plan('slack', [
      outageRule({ share: 0.1, fault: { kind: 'status', status: 500 } }, { at: 0, of: 1, span, random }),
      ...flaky(0.08),
    ]),
    pagerduty: plan('pagerduty', flaky(0.2)),
    webhook: plan('webhook', flaky(0.08)),
    mail: MAIL_FAULTS,
  };
}

interface Slot {
  /** Outages of one exchange follow one another: each lies in its own part of the span. */
  readonly at: number;
  readonly of: number;
  readonly span: ScheduleSpan;
  readonly random: Random;
}

/** The first tenth has no outage, so that kills hit the first backfill; nor has the last, which is for healing. */
function outageRule(
  { share, fault }: { readonly share: number; readonly fault: FaultSpec },
  { at, of, span: { fromMs, spanMs }, random }: Slot,
): FaultInjection {
  const part = (0.8 / of) * spanMs;
  const fromPart = fromMs + 0.1 * spanMs + at * part;
  const beginMs = Math.round(fromPart + random.next() * (part - share * spanMs));
  return { on: { fromMs: beginMs, toMs: Math.round(beginMs + share * spanMs) }, fault };
}
