import { expect, test } from 'vitest';
import { classifyGaps, type GapVerdict } from './gap-verdicts.ts';
import type { ObservedResponse, RecordedRow, SeriesRecord, VenueRecord } from './series-record.ts';
import { seriesRecord } from '../../../../tests/support/series-record.ts';

const M = 60_000;
const MINUTES = 3_000;
const RECHECK_AFTER_MS = 360 * M;
type Run = readonly [from: number, to: number];

const isIn = (minute: number, runs: readonly Run[]): boolean =>
  runs.some(([from, to]) => minute >= from && minute < to);

/** One market, requested twice with one response each; `unasked` is covered by none. */
function market(
  symbol: string,
  gaps: { readonly missing?: readonly Run[]; readonly flat?: readonly Run[]; readonly unasked?: readonly Run[] },
  over: Partial<SeriesRecord> = {},
): SeriesRecord {
  const { missing = [], flat = [], unasked = [] } = gaps;
  const rows = Array.from({ length: MINUTES }, (_, minute) => minute)
    .filter((minute) => !isIn(minute, [...missing, ...unasked]))
    .map(
      (minute): RecordedRow => ({
        openTimeMs: minute * M,
        high: isIn(minute, flat) ? 1 : 2,
        low: 1,
        volume: isIn(minute, flat) ? 0 : 1,
        closeTimeMs: null,
      }),
    );
  const edges = [0, ...unasked.flat(), MINUTES];
  const responses = Array.from(
    { length: edges.length / 2 },
    (_, at) => [edges[2 * at] as number, edges[2 * at + 1] as number] as const,
  ).flatMap(([from, to]): ObservedResponse[] =>
    [0, RECHECK_AFTER_MS].map((atMs) => {
      const own = rows.filter(({ openTimeMs }) => openTimeMs >= from * M && openTimeMs < to * M);
      return {
        fromMs: from * M,
        toMs: to * M,
        atMs,
        firstOpenMs: own[0]?.openTimeMs ?? null,
        lastOpenMs: own.at(-1)?.openTimeMs ?? null,
      };
    }),
  );
  return { ...seriesRecord({ symbol, rows, stepMs: M, responses }), ...over };
}

const venue = (series: readonly SeriesRecord[], over: Partial<VenueRecord> = {}): VenueRecord => ({
  exchange: 'binance',
  stepMs: M,
  emptyCandles: 'flat',
  rowsPerPageMax: MINUTES,
  series,
  others: [],
  ...over,
});
const classify = (record: VenueRecord, classified: Run = [0, MINUTES]): GapVerdict[] =>
  classifyGaps(record, {
    classified: { fromMs: classified[0] * M, toMs: classified[1] * M },
    incidents: [],
    recheckAfterMs: RECHECK_AFTER_MS,
  });
const summaries = (verdicts: readonly GapVerdict[]): string[] =>
  verdicts.map(({ symbol, fromMs, toMs, state, cause }) => `${symbol} ${fromMs / M}-${toMs / M} ${state} ${cause}`);
const HOLE: Run = [2_000, 2_100];
const CALM = {};

test('markets that stop and resume some minutes apart share one outage', () => {
  expect(
    summaries(
      classify(
        venue([
          market('A', { missing: [[2_000, 2_100]] }),
          market('B', { missing: [[2_000, 2_099]] }),
          market('C', { missing: [[2_002, 2_100]] }),
        ]),
      ),
    ),
  ).toEqual(['A 2000-2100 outage venue_outage', 'B 2000-2099 outage venue_outage', 'C 2002-2100 outage venue_outage']);
});

test('flat rows of one market and missing ones of the others are the same outage', () => {
  expect(
    summaries(
      classify(
        venue([market('A', { flat: [HOLE] }), market('B', { missing: [HOLE] }), market('C', { missing: [HOLE] })]),
      ),
    ),
  ).toEqual(['A 2000-2100 outage halt', 'B 2000-2100 outage venue_outage', 'C 2000-2100 outage venue_outage']);
});

test('one stale feed among ten does not hide an outage, two of ten do', () => {
  const silent = (count: number) =>
    new Set(
      classify(
        venue(Array.from({ length: 10 }, (_, at) => market(`S${at}`, at < count ? { missing: [HOLE] } : CALM))),
      ).map(({ cause }) => cause),
    );
  expect(silent(9)).toEqual(new Set(['venue_outage']));
  expect(silent(8)).toEqual(new Set(['unexplained']));
});

test('a market whose requests failed is neither quiet nor trading', () => {
  const failed = market('D', { unasked: [[1_900, 2_200]] });
  expect(
    new Set(
      classify(
        venue([
          market('A', { missing: [HOLE] }),
          market('B', { missing: [HOLE] }),
          market('C', { missing: [HOLE] }),
          failed,
        ]),
      ).map(({ cause }) => cause),
    ),
  ).toEqual(new Set(['venue_outage']));
  expect(
    new Set(
      classify(venue([market('A', { missing: [HOLE] }), market('B', { missing: [HOLE] }), failed])).map(
        ({ cause }) => cause,
      ),
    ),
  ).toEqual(new Set(['few_liquid_symbols']));
});

test('an outage does not make its markets illiquid: the next one is found as well', () => {
  const gaps = {
    missing: [
      [1_000, 1_300],
      [1_500, 1_700],
      [2_000, 2_100],
    ] as const,
  };
  expect(
    new Set(classify(venue([market('A', gaps), market('B', gaps), market('C', gaps)])).map(({ cause }) => cause)),
  ).toEqual(new Set(['venue_outage']));
});

test('thin symbols prove no outage, but are part of one', () => {
  const thin = market('T', { missing: Array.from({ length: 900 }, (_, at): Run => [at * 3 + 1, at * 3 + 2]) });
  const liquid = ['A', 'B', 'C'].map((symbol) => market(symbol, { missing: [HOLE] }));
  const causes = (series: readonly SeriesRecord[]) =>
    new Set(classify(venue(series, { emptyCandles: 'omitted' }), HOLE).map(({ cause }) => cause));
  expect(causes([...liquid, thin])).toEqual(new Set(['venue_outage']));
  expect(causes([...liquid.slice(0, 2), thin])).toEqual(new Set(['few_liquid_symbols', 'thin_market']));
});

test('the last minute before a day that is not due is bounded by a response that continues after it', () => {
  const last: Run = [MINUTES - 1, MINUTES];
  const thin = market('T', {
    missing: [...Array.from({ length: 900 }, (_, at): Run => [at * 3 + 1, at * 3 + 2]), last],
  });
  const wentOn = {
    ...thin,
    responses: thin.responses.map((response) => ({ ...response, toMs: response.toMs + M, lastOpenMs: MINUTES * M })),
  };
  const causes = (series: SeriesRecord) =>
    new Set(classify(venue([series], { emptyCandles: 'omitted' }), last).map(({ cause }) => cause));
  expect(causes(thin)).toEqual(new Set(['page_edge']));
  expect(causes(wentOn)).toEqual(new Set(['thin_market']));
});

test('without history no market is liquid', () => {
  const early: Run = [5, 30];
  expect(
    new Set(
      classify(venue(['A', 'B', 'C'].map((symbol) => market(symbol, { missing: [early] })))).map(({ cause }) => cause),
    ),
  ).toEqual(new Set(['few_liquid_symbols']));
});

test('a hole is split at the listing, at the border of an acceptance and at the end of the classified range', () => {
  const series = market(
    'A',
    { missing: [[2_000, 2_400]] },
    { listedFromMs: 2_100 * M, accepted: [{ fromMs: 2_200 * M, toMs: 2_300 * M, reason: 'lost', by: 'ops', atMs: 1 }] },
  );
  expect(summaries(classify(venue([series]), [0, 2_350]))).toEqual([
    'A 2000-2100 not_due not_listed',
    'A 2100-2200 pending few_liquid_symbols',
    'A 2200-2300 outage accepted',
    'A 2300-2350 pending few_liquid_symbols',
  ]);
});

test('a hole before the first row is not no_trades while the listing is unknown', () => {
  expect(summaries(classify(venue([market('A', { missing: [[0, 500]] })], { emptyCandles: 'omitted' })))).toEqual([
    'A 0-500 pending page_edge',
  ]);
});

test('a hole after the last row is not no_trades, however long', () => {
  const thin = Array.from({ length: 300 }, (_, at): Run => [at * 3 + 1, at * 3 + 2]);
  const causes = classify(
    venue([market('A', { missing: [...thin, [1_000, MINUTES]] })], { emptyCandles: 'omitted', rowsPerPageMax: 300 }),
    [900, MINUTES],
  ).map(({ cause }) => cause);
  expect(causes).toEqual(['few_liquid_symbols']);
});
