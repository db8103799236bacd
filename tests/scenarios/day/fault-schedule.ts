import type { Exchange } from '../../../src/domain/exchange.ts';
import { DAY_MS } from '../../../src/domain/interval.ts';
import type { FaultPlan, FaultInjection, FaultSpec } from '../../../src/simulation/fault-plan.ts';

/** The day begins here, between two closes, and ends 24 hours later. */
export const START_MS = Date.UTC(2024, 5, 10, 10, 30);
export const END_MS = START_MS + DAY_MS;

/** `12:00` of this day; before half past ten, of the next. */
export function timeAt(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  const timeMs = Date.UTC(2024, 5, 10, hours, minutes);
  return timeMs < START_MS ? timeMs + DAY_MS : timeMs;
}

/** A fault of one venue: its time range, and the affected requests, all or by number since its beginning. */
interface Weather {
  readonly exchange: Exchange;
  readonly from: string;
  readonly to: string;
  /** In the venue's spelling; absent: every symbol. */
  readonly symbol?: string;
  readonly nth?: readonly number[];
  readonly fault: FaultSpec;
}

const MAINTENANCE = { kind: 'status', status: 503, means: 'EXCHANGE_MAINTENANCE' } as const;

/** Candles close on the hour: most faults happen then. */
export const FAULT_SCHEDULE: readonly Weather[] = [
  // The first ingest requests two closed days and the open one.
  { exchange: 'binance', from: '10:30', to: '11:29', symbol: 'XRPUSDT', fault: { kind: 'status', status: 502 } },
  {
    exchange: 'binance',
    from: '10:30',
    to: '10:40',
    symbol: 'ETHUSDT',
    nth: [1],
    fault: { kind: 'invalid-rows', rule: 'ohlc-order', rows: 2 },
  },
  { exchange: 'coinbase', from: '10:30', to: '10:50', symbol: 'SOL-USDT', fault: { kind: 'status', status: 404 } },
  {
    exchange: 'okx',
    from: '10:30',
    to: '10:40',
    symbol: 'BTC-USDT',
    nth: [1],
    fault: { kind: 'sparse-page', every: 7 },
  },
  { exchange: 'binance', from: '12:00', to: '12:03', fault: { kind: 'status', status: 500, body: 'html' } },
  { exchange: 'coinbase', from: '12:00', to: '12:30', nth: [1, 2], fault: { kind: 'status', status: 429 } },
  { exchange: 'okx', from: '12:00', to: '12:30', nth: [1], fault: { kind: 'stall' } },
  { exchange: 'binance', from: '13:00', to: '13:01', fault: { kind: 'status', status: 429, retryAfter: '30' } },
  { exchange: 'coinbase', from: '13:00', to: '13:30', nth: [1], fault: { kind: 'truncated-json' } },
  { exchange: 'okx', from: '13:00', to: '13:30', nth: [1, 3], fault: { kind: 'cut' } },
  { exchange: 'binance', from: '14:00', to: '14:30', nth: [2], fault: { kind: 'ban', forMs: 900_000 } },
  { exchange: 'coinbase', from: '14:00', to: '14:30', nth: [1], fault: { kind: 'html' } },
  { exchange: 'okx', from: '14:00', to: '14:30', nth: [2], fault: { kind: 'wrong-shape' } },
  { exchange: 'binance', from: '15:00', to: '15:30', nth: [1], fault: { kind: 'silence' } },
  { exchange: 'coinbase', from: '15:00', to: '15:30', nth: [2], fault: { kind: 'wrong-unit' } },
  { exchange: 'okx', from: '15:00', to: '15:30', nth: [1], fault: { kind: 'empty-body' } },
  { exchange: 'binance', from: '17:00', to: '17:30', nth: [1], fault: { kind: 'short-page', keptRatio: 0.5 } },
  { exchange: 'coinbase', from: '17:00', to: '17:30', nth: [1], fault: { kind: 'status', status: 504 } },
  { exchange: 'okx', from: '17:00', to: '17:30', nth: [2], fault: { kind: 'null-fields', rows: 1 } },
  // Coinbase is unreachable for an hour.
  { exchange: 'coinbase', from: '18:30', to: '19:30', fault: { kind: 'reset' } },
  { exchange: 'binance', from: '19:00', to: '19:30', nth: [1], fault: { kind: 'duplicate-rows', rows: 1 } },
  { exchange: 'okx', from: '19:00', to: '19:30', nth: [1], fault: { kind: 'foreign-rows', how: 'instead' } },
  { exchange: 'binance', from: '20:00', to: '20:30', nth: [1], fault: { kind: 'answer-lost' } },
  { exchange: 'okx', from: '20:00', to: '20:30', nth: [2], fault: { kind: 'empty-list' } },
  {
    exchange: 'coinbase',
    from: '21:00',
    to: '21:10',
    fault: { ...MAINTENANCE, venueCode: 'Coinbase is under maintenance' },
  },
  { exchange: 'okx', from: '21:00', to: '21:30', nth: [1, 2], fault: { kind: 'status', status: 503, body: 'empty' } },
  // Midnight: the day becomes due while two venues are down.
  { exchange: 'okx', from: '23:45', to: '00:20', fault: { ...MAINTENANCE, venueCode: '50001' } },
  { exchange: 'binance', from: '00:00', to: '00:03', fault: { kind: 'status', status: 502 } },
  {
    exchange: 'coinbase',
    from: '01:00',
    to: '01:30',
    nth: [1],
    fault: { kind: 'invalid-rows', rule: 'volume-negative', rows: 1 },
  },
  { exchange: 'binance', from: '02:00', to: '02:30', nth: [1], fault: { kind: 'slow', delayMs: 8_000 } },
];

/** No fault is injected from this time on. */
const CALM_FROM_MS = timeAt('02:30');

/** Beside the scheduled faults, one request in fifty gets a server error and one in a hundred a reset. */
const BACKGROUND: readonly FaultInjection[] = [
  { match: { only: 'candles' }, on: { ratio: 0.02 }, fault: { kind: 'status', status: 500 } },
  { match: { only: 'candles' }, on: { ratio: 0.01 }, fault: { kind: 'reset' } },
];

/** When a venue's plan changes. */
export const changesOf = (exchange: Exchange): readonly number[] =>
  [
    ...new Set([
      ...FAULT_SCHEDULE.filter((one) => one.exchange === exchange).flatMap(({ from, to }) => [
        timeAt(from),
        timeAt(to),
      ]),
      CALM_FROM_MS,
    ]),
  ].toSorted((a, b) => a - b);

/** The faults of a venue at a time, and when their count of requests began. */
export function planAt(exchange: Exchange, timeMs: number, seed: string): FaultPlan {
  const own = FAULT_SCHEDULE.filter(
    (one) => one.exchange === exchange && timeAt(one.from) <= timeMs && timeMs < timeAt(one.to),
  );
  const rules = own.map(
    ({ symbol, nth, to, fault }): FaultInjection => ({
      match: { only: 'candles', ...(symbol === undefined ? {} : { symbol }) },
      on: nth === undefined ? { fromMs: timeMs, toMs: timeAt(to) } : { nth },
      fault,
    }),
  );
  return { seed: `${seed} ${exchange} ${timeMs}`, rules: timeMs < CALM_FROM_MS ? [...rules, ...BACKGROUND] : rules };
}
