import type { Random } from '../../src/platform/ports/random.ts';
import { seededRandom } from '../../src/platform/seeded-random.ts';
import type { Exchange } from '../../src/domain/exchange.ts';
import type { FaultPlan, FaultInjection, FaultSpec } from '../../src/simulation/fault-plan.ts';
import { HEALING_FAULTS } from '../support/healing-faults.ts';
import type { MailFault } from '../support/stand-in-smtp.ts';

/** When the weather lasts. */
export interface ScheduleSpan {
  readonly fromMs: number;
  readonly spanMs: number;
}

/** Everything that goes wrong around one data directory. */
export interface FaultSchedule {
  readonly venues: ReadonlyMap<Exchange, FaultPlan>;
  readonly hub: FaultPlan;
  /** Commits that are done and never answered. */
  readonly commitsLost: number;
  readonly slack: FaultPlan;
  readonly pagerduty: FaultPlan;
  readonly webhook: FaultPlan;
  readonly mail: readonly MailFault[];
}

/** Each strikes one request for candles in a hundred. */
const SHOWERS: readonly FaultSpec[] = [...HEALING_FAULTS, { kind: 'slow', delayMs: 400 }];
const SHOWER_RATIO = 0.01;
const showers: readonly FaultInjection[] = SHOWERS.map((fault) => ({
  match: { only: 'candles' },
  on: { ratio: SHOWER_RATIO },
  fault,
}));

/** Nothing of a venue works for a while, in a way of its own. Lengths in shares of the season: of ten minutes one, so that a candle closes in each. */
const STORMS: ReadonlyMap<Exchange, readonly { readonly share: number; readonly fault: FaultSpec }[]> = new Map([
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

/** The same seed and season give the same plans; which request meets which fault depends on the order in which they come. */
export function faultScheduleOf(seed: string, season: ScheduleSpan): FaultSchedule {
  const random = seededRandom(`${seed}/weather`);
  const plan = (name: string, rules: readonly FaultInjection[]): FaultPlan => ({ seed: `${seed}/${name}`, rules });
  return {
    venues: new Map(
      [...STORMS].map(([exchange, storms]) => [
        exchange,
        plan(exchange, [
          ...storms.map((storm, at) => stormRule(storm, { at, of: storms.length, season, random })),
          ...showers,
        ]),
      ]),
    ),
    hub: plan('hub', [
      stormRule({ share: 0.1, fault: { kind: 'status', status: 503 } }, { at: 0, of: 1, season, random }),
      ...flaky(0.04),
    ]),
    commitsLost: 2,
    slack: plan('slack', [
      stormRule({ share: 0.1, fault: { kind: 'status', status: 500 } }, { at: 0, of: 1, season, random }),
      ...flaky(0.08),
    ]),
    pagerduty: plan('pagerduty', flaky(0.2)),
    webhook: plan('webhook', flaky(0.08)),
    mail: MAIL_FAULTS,
  };
}

interface Place {
  /** Storms of one venue come one after another: this one in its own part of the season. */
  readonly at: number;
  readonly of: number;
  readonly season: ScheduleSpan;
  readonly random: Random;
}

/** The first and the last tenth stay calm: the first fill is to be killed, not to be kept from starting, and the last is for healing. */
function stormRule(
  { share, fault }: { readonly share: number; readonly fault: FaultSpec },
  { at, of, season: { fromMs, spanMs }, random }: Place,
): FaultInjection {
  const part = (0.8 / of) * spanMs;
  const fromPart = fromMs + 0.1 * spanMs + at * part;
  const beginMs = Math.round(fromPart + random.next() * (part - share * spanMs));
  return { on: { fromMs: beginMs, toMs: Math.round(beginMs + share * spanMs) }, fault };
}
