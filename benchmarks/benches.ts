import { candlekeep } from './candlekeep.ts';
import type { Contestant } from './contestant.ts';
import { CONTESTANTS } from './contestants.ts';
import type { FaultSchedule } from './workload.ts';

/** How much data a bench fetches. */
export interface Extent {
  readonly symbols: number;
  readonly days: number;
}

/** One comparison of several contestants. */
export interface Bench {
  readonly name: string;
  readonly says: string;
  readonly schedule: FaultSchedule;
  /** Without `--full`; takes a couple of minutes. */
  readonly daily: Extent;
  readonly contestants: readonly Contestant[];
}

/** One year of ten symbols: 5,256,000 candles on 5,260 pages. */
export const FULL: Extent = { symbols: 10, days: 365 };
const DAILY: Extent = { symbols: 10, days: 62 };

const EIGHT = candlekeep({ name: 'candlekeep-x8', processes: 8 });

export const BENCHES: readonly Bench[] = [
  { name: 'B1', says: 'no faults', schedule: 'none', daily: DAILY, contestants: CONTESTANTS },
  {
    name: 'B2',
    says: '5 % 500s, 2 % requests without response, 5 s of 429, 10 s of resets, one truncated body',
    schedule: 'faults',
    daily: DAILY,
    contestants: CONTESTANTS,
  },
  {
    name: 'B3',
    says: 'one response in eight is malformed, with status 200',
    schedule: 'malformed',
    daily: { symbols: 4, days: 62 },
    contestants: CONTESTANTS,
  },
  {
    name: 'B5',
    says: 'eight processes on one address and one data directory',
    schedule: 'none',
    daily: DAILY,
    contestants: [EIGHT],
  },
];

/** Candlekeep alone: the other contestants keep no account. */
export const ACCOUNT_BENCH = {
  name: 'B4',
  says: 'how long the account of a year takes to compute, and from how much state',
} as const;
