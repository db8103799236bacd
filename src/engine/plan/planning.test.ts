import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { INTERVALS } from '../../domain/interval.ts';
import { dayOf, dayRange, daysBetween } from '../../domain/partition.ts';
import type { CellState } from '../../domain/cell.ts';
import type { Gap } from '../../domain/gap.ts';
import { planHealing } from '../recovery/healing-plan.ts';
import { chunksOf } from '../core/chunks.ts';
import { coverOfOpenDay, type OpenDayView } from './open-day-cover.ts';
import { planSeries, type PlanOptions, type SeriesKnowledge } from './work-plan.ts';

const DAY = '2024-06-02';
const WHOLE = dayRange(DAY);
const HOUR_MS = 3_600_000;
const NOW_MS = WHOLE.toMs + 10 * HOUR_MS;
const series = { exchange: 'binance', symbol: 'BTC/USDT', interval: '1h' } as const;

const gap = (fromHour: number, toHour: number, over: Partial<Gap> = {}): Gap => ({
  fromMs: WHOLE.fromMs + fromHour * HOUR_MS,
  toMs: WHOLE.fromMs + toHour * HOUR_MS,
  state: 'pending',
  code: 'EXCHANGE_SERVER_ERROR',
  cause: null,
  ...over,
});

function cell(gaps: readonly Gap[], over: Partial<CellState> = {}): CellState {
  const missing = gaps.reduce((sum, { fromMs, toMs }) => sum + (toMs - fromMs) / HOUR_MS, 0);
  return {
    ...series,
    day: DAY,
    account: { expected: 24, present: 24 - missing, no_trades: 0, outage: 0, quarantined: 0, pending: missing },
    gaps,
    flat: [],
    cut: [],
    attempts: 1,
    pendingSinceMs: WHOLE.toMs,
    nextAttemptAtMs: NOW_MS + HOUR_MS,
    notBeforeMs: null,
    ...over,
  };
}

const knowledge = (known: CellState | null, over: Partial<SeriesKnowledge> = {}): SeriesKnowledge => ({
  series,
  days: [DAY],
  cells: new Map(known === null ? [] : [[DAY, known]]),
  covered: [],
  coveredOpen: over.covered ?? [],
  newest: null,
  firstCandleMs: null,
  requestedFromMs: WHOLE.fromMs,
  graceMs: 5_000,
  rowsPerPageMax: 1_000,
  ...over,
});
const plan = (known: SeriesKnowledge, over: Partial<PlanOptions> = {}) =>
  planSeries(known, { selection: 'missing', waitPolicy: 'holes', nowMs: NOW_MS, ...over });

test('chunks hold every day once, none longer than a month (at 1d a year)', () => {
  fc.assert(
    fc.property(fc.constantFrom(...INTERVALS), fc.nat(4_000), fc.nat(900), (interval, from, length) => {
      const range = {
        start: dayOf(Date.UTC(2015, 0, 1) + from * 86_400_000),
        end: dayOf(Date.UTC(2015, 0, 1) + (from + length) * 86_400_000),
      };
      const chunks = chunksOf(range, interval);
      expect(chunks.flatMap(({ start, end }) => daysBetween(start, end))).toEqual(daysBetween(range.start, range.end));
      for (const { start, end } of chunks)
        expect(daysBetween(start, end).length).toBeLessThanOrEqual(interval === '1d' ? 366 : 31);
    }),
  );
});

test('a day never requested is requested, except for the ranges that bronze holds', () => {
  expect(plan(knowledge(null)).toFetch).toEqual([WHOLE]);
  expect(
    plan(knowledge(null, { covered: [{ fromMs: WHOLE.fromMs, toMs: WHOLE.fromMs + 20 * HOUR_MS }] })).toFetch,
  ).toEqual([{ fromMs: WHOLE.fromMs + 20 * HOUR_MS, toMs: WHOLE.toMs }]);
});

test('a complete day is requested only with --force', () => {
  expect(plan(knowledge(cell([])))).toMatchObject({ toFetch: [], days: [] });
  expect(plan(knowledge(cell([])), { selection: 'all' }).toFetch).toEqual([WHOLE]);
});

test("a day is due when it has closed and the venue's grace has passed", () => {
  expect(plan(knowledge(null), { nowMs: WHOLE.toMs + 4_999 })).toMatchObject({ days: [], openDays: [DAY] });
  expect(plan(knowledge(null), { nowMs: WHOLE.toMs + 5_000 })).toMatchObject({ days: [DAY], openDays: [] });
});

test('in the open day, closed candles past the grace are requested unless bronze holds them', () => {
  const tenMs = WHOLE.fromMs + 10 * HOUR_MS;
  expect(plan(knowledge(null), { nowMs: tenMs + 4_999 }).toFetch).toEqual([
    { fromMs: WHOLE.fromMs, toMs: tenMs - HOUR_MS },
  ]);
  expect(plan(knowledge(null), { nowMs: tenMs + 5_000 }).toFetch).toEqual([{ fromMs: WHOLE.fromMs, toMs: tenMs }]);
  const known = knowledge(null, { covered: [{ fromMs: WHOLE.fromMs, toMs: tenMs - HOUR_MS }] });
  expect(plan(known, { nowMs: tenMs + 5_000 }).toFetch).toEqual([{ fromMs: tenMs - HOUR_MS, toMs: tenMs }]);
  expect(plan(known, { nowMs: tenMs + 5_000, selection: 'all' }).toFetch).toEqual([
    { fromMs: WHOLE.fromMs, toMs: tenMs },
  ]);
  expect(plan(known, { nowMs: tenMs + 5_000, selection: 'failed' })).toMatchObject({ toFetch: [], openDays: [] });
  expect(plan(knowledge(null), { nowMs: WHOLE.fromMs + 4_999 })).toMatchObject({ toFetch: [], openDays: [] });
});

test('a run by hand requests exactly the failed ranges at once; a hole waits for its next attempt', () => {
  const known = knowledge(cell([gap(3, 5), gap(8, 9, { code: 'ROWS_MISSING' })]));
  expect(plan(known).toFetch).toEqual([{ fromMs: WHOLE.fromMs + 3 * HOUR_MS, toMs: WHOLE.fromMs + 5 * HOUR_MS }]);
  expect(plan(known, { waitPolicy: 'all' }).toFetch).toEqual([]);
  expect(plan(known, { waitPolicy: 'none' }).toFetch).toHaveLength(2);
  expect(plan(known, { waitPolicy: 'all', nowMs: NOW_MS + HOUR_MS }).toFetch).toHaveLength(2);
});

test('a wait that the venue set is always kept, and the plan names its cells', () => {
  const parked = knowledge(cell([gap(0, 24, { code: 'EXCHANGE_RATE_LIMITED' })], { notBeforeMs: NOW_MS + 1 }));
  for (const over of [{}, { selection: 'all' }, { selection: 'failed' }, { waitPolicy: 'none' }] as const) {
    expect(plan(parked, over)).toMatchObject({
      toFetch: [],
      days: [],
      withheld: [{ code: 'EXCHANGE_RATE_LIMITED', notBeforeMs: NOW_MS + 1 }],
    });
  }
  expect(plan(parked, { nowMs: NOW_MS + 1 }).toFetch).toEqual([WHOLE]);
});

test('nothing before the first candle of a series is requested', () => {
  expect(plan(knowledge(null, { firstCandleMs: WHOLE.fromMs + 4 * HOUR_MS })).toFetch).toEqual([
    { fromMs: WHOLE.fromMs + 4 * HOUR_MS, toMs: WHOLE.toMs },
  ]);
});

test('healing groups neighbouring days of all symbols into one run, newest first, and never more than a month', () => {
  const days = [...daysBetween('2024-01-01', '2024-01-03'), ...daysBetween('2024-03-01', '2024-04-15')];
  const runs = planHealing(
    days.flatMap((day) => ['BTC/USDT', 'ETH/USDT'].map((symbol) => ({ ...cell([gap(0, 24)]), symbol, day }))),
  );
  expect(runs.map(({ start, end }) => [start, end])).toEqual([
    ['2024-04-01', '2024-04-15'],
    ['2024-03-01', '2024-03-31'],
    ['2024-01-01', '2024-01-03'],
  ]);
  for (const { markets } of runs) expect([...markets]).toEqual([['binance', ['BTC/USDT', 'ETH/USDT']]]);
});

test('a newest candle received before it settled is requested again with the candles after it', () => {
  const half = { fromMs: WHOLE.fromMs, toMs: WHOLE.fromMs + 10 * HOUR_MS };
  const newest = (answeredAfterMs: number) => ({
    openMs: half.toMs - HOUR_MS,
    answeredAtMs: half.toMs + answeredAfterMs,
  });
  const toFetch = (over: Partial<SeriesKnowledge>) => plan(knowledge(null, { covered: [half], ...over })).toFetch;
  expect(toFetch({ newest: newest(5_000) })).toEqual([{ fromMs: half.toMs - HOUR_MS, toMs: WHOLE.toMs }]);
  expect(toFetch({ newest: newest(HOUR_MS) }), 'it had settled').toEqual([{ fromMs: half.toMs, toMs: WHOLE.toMs }]);
  expect(toFetch({ newest: newest(5_000), rowsPerPageMax: 14 }), 'it would cost a request').toEqual([
    { fromMs: half.toMs, toMs: WHOLE.toMs },
  ]);
  expect(toFetch({ newest: newest(5_000), covered: [WHOLE] }), 'no candle follows').toEqual([]);
  expect(plan(knowledge(null, { covered: [half], newest: newest(5_000) }), { selection: 'kept' }).toFetch).toEqual([]);
});

test('a page that the days do not fill begins earlier, in days of the same request not yet fetched', () => {
  const before = (hours: number) => WHOLE.fromMs - hours * HOUR_MS;
  const toFetch = (over: Partial<SeriesKnowledge>, selection: PlanOptions['selection'] = 'missing') =>
    plan(knowledge(null, { requestedFromMs: before(48), rowsPerPageMax: 36, ...over }), { selection }).toFetch;
  expect(toFetch({})).toEqual([{ fromMs: before(12), toMs: WHOLE.toMs }]);
  expect(toFetch({ rowsPerPageMax: 10 })).toEqual([{ fromMs: before(6), toMs: WHOLE.toMs }]);
  expect(toFetch({ rowsPerPageMax: 24 }), 'the page is full').toEqual([WHOLE]);
  expect(toFetch({ requestedFromMs: WHOLE.fromMs }), 'nothing else is requested').toEqual([WHOLE]);
  expect(toFetch({ requestedFromMs: before(5) })).toEqual([{ fromMs: before(5), toMs: WHOLE.toMs }]);
  expect(toFetch({ firstCandleMs: before(3) })).toEqual([{ fromMs: before(3), toMs: WHOLE.toMs }]);
  expect(toFetch({ covered: [{ fromMs: before(48), toMs: before(2) }] }), 'fetched already').toEqual([
    { fromMs: before(2), toMs: WHOLE.toMs },
  ]);
  expect(
    toFetch({ covered: [{ fromMs: before(2), toMs: before(-4) }] }),
    'the range before the days is fetched already',
  ).toEqual([{ fromMs: before(-4), toMs: WHOLE.toMs }]);
  expect(toFetch({}, 'all'), 'each run fetches all of its own days').toEqual([WHOLE]);
});

test('in the open day an old response covers its unbroken candles, a new one its whole page', () => {
  const at = (hour: number): number => WHOLE.fromMs + hour * HOUR_MS;
  const page = (rows: number, hull: readonly [first: number, last: number] | null) => ({
    range: { fromMs: at(0), toMs: at(10) },
    rows,
    hull: hull === null ? null : { firstOpenMs: at(hull[0]), lastOpenMs: at(hull[1]) },
    fetchedAtMs: at(10),
  });
  const cover = (pages: ReturnType<typeof page>[], over: Partial<OpenDayView> = {}) =>
    coverOfOpenDay(pages, { interval: '1h', emptyCandles: 'flat', recheckAfterMs: HOUR_MS, nowMs: at(11), ...over });
  expect(cover([page(10, [0, 9])])).toEqual([{ fromMs: at(0), toMs: at(10) }]);
  expect(cover([page(5, [0, 4])])).toEqual([{ fromMs: at(0), toMs: at(5) }]);
  expect(cover([page(9, [0, 9])]), 'a hole at an unknown place inside').toEqual([]);
  expect(cover([page(0, null)])).toEqual([]);
  expect(cover([page(0, null)], { nowMs: at(11) - 1 })).toEqual([{ fromMs: at(0), toMs: at(10) }]);
  expect(cover([page(0, null)], { emptyCandles: 'omitted' })).toEqual([{ fromMs: at(0), toMs: at(10) }]);
  expect(cover([page(5, [0, 4]), { ...page(6, [4, 9]), fetchedAtMs: at(10.5) }]), 'the second look').toEqual([
    { fromMs: at(0), toMs: at(10) },
  ]);
});
