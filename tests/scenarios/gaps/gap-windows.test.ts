import { expect, test } from 'vitest';
import type { TimeRange } from '../../../src/domain/range.ts';
import { classifyGaps, type GapVerdict } from '../../../src/lake/quality/gaps/gap-verdicts.ts';
import { KNOWN_INCIDENTS, type KnownIncident } from '../../../src/lake/quality/gaps/known-incidents.ts';
import { asOtherVenue, type VenueRecord } from '../../../src/lake/quality/gaps/series-record.ts';
import { seriesRecord } from '../../support/series-record.ts';
import { requestPages, holesIn } from './page-requests.ts';
import { recorded, type Recording } from './recordings.ts';

const HOUR_MS = 3_600_000;
const RECHECK_AFTER_MS = 6 * HOUR_MS;
const FETCHED_AT_MS = Date.UTC(2026, 5, 1);
const ROWS_PER_PAGE: Readonly<Record<string, number>> = { binance: 1_000 };

/** A recorded venue, requested page by page long after, and every hole once more with its neighbours. */
function venueOf(recordings: readonly Recording[], others: VenueRecord['others'] = []): VenueRecord {
  const [{ exchange, stepMs }] = recordings as [Recording];
  const rowsPerPageMax = ROWS_PER_PAGE[exchange] ?? 300;
  const series = recordings.map(({ symbol, rows, fromMs, toMs }) => {
    const openTimesMs = rows.map((row) => row.openTimeMs);
    const requests = { openTimesMs, stepMs, rowsMax: rowsPerPageMax, atMs: FETCHED_AT_MS };
    const again = holesIn({ fromMs, toMs }, new Set(openTimesMs), stepMs).flatMap((hole) =>
      requestPages(
        { fromMs: hole.fromMs - stepMs, toMs: hole.toMs + stepMs },
        { ...requests, atMs: FETCHED_AT_MS + RECHECK_AFTER_MS },
      ),
    );
    return seriesRecord({ symbol, rows, stepMs, responses: [...requestPages({ fromMs, toMs }, requests), ...again] });
  });
  return {
    exchange,
    stepMs,
    rowsPerPageMax,
    emptyCandles: ['binance', 'okx', 'cryptocom', 'binanceus'].includes(exchange) ? 'flat' : 'omitted',
    series,
    others,
  };
}

function classify(record: VenueRecord, incidents: readonly KnownIncident[] = KNOWN_INCIDENTS): GapVerdict[] {
  const classified = {
    fromMs: Math.min(...record.series.flatMap((one) => one.answered.map((range) => range.fromMs))),
    toMs: Math.max(...record.series.flatMap((one) => one.answered.map((range) => range.toMs))),
  };
  return classifyGaps(record, { classified, incidents, recheckAfterMs: RECHECK_AFTER_MS });
}

const minute = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 16);
const candlesOf = (ranges: readonly TimeRange[], stepMs: number): number =>
  ranges.reduce((sum, range) => sum + (range.toMs - range.fromMs) / stepMs, 0);
const linesOf = (verdicts: readonly GapVerdict[], stepMs: number): string[] =>
  verdicts.map((one) => `${one.symbol} ${minute(one.fromMs)} ${candlesOf([one], stepMs)} ${one.state} ${one.cause}`);

test('Binance 2021-04-25: 284 minutes are an outage, of XRP 283', () => {
  const venue = venueOf(recorded('binance', '1m', '2021-04-24T00:00Z'));
  const found = (incidents: readonly KnownIncident[]): string[] => linesOf(classify(venue, incidents), venue.stepMs);
  const expected = (cause: string): string[] =>
    venue.series.map(
      ({ symbol }) =>
        `${symbol} ${symbol === 'XRP/USDT' ? '2021-04-25T04:02 283' : '2021-04-25T04:01 284'} outage ${cause}`,
    );
  expect(found(KNOWN_INCIDENTS)).toEqual(expected('known_incident'));
  expect(found([])).toEqual(expected('venue_outage'));
});

test('with two symbols and no list of incidents, the same hole stays pending', () => {
  const venue = venueOf(recorded('binance', '1m', '2021-04-24T00:00Z').slice(0, 2));
  expect(new Set(classify(venue, []).map(({ cause }) => cause))).toEqual(new Set(['few_liquid_symbols']));
});

test('Binance 2h 2017-2022: fourteen candles are truncated where incidents begin, and missing ones are outages', () => {
  const venue = venueOf(recorded('binance', '2h', '2017-08-17T04:00Z'));
  const [{ cut, missing }] = venue.series as [VenueRecord['series'][number]];
  expect(cut).toHaveLength(14);
  for (const { openTimeMs, closeTimeMs } of cut) {
    const lost = { fromMs: closeTimeMs + 1, toMs: openTimeMs + venue.stepMs };
    expect(
      KNOWN_INCIDENTS.some(
        ({ exchange, fromMs, toMs }) => exchange === 'binance' && fromMs <= lost.toMs && toMs >= lost.fromMs,
      ),
      minute(openTimeMs),
    ).toBe(true);
  }
  expect(
    cut.filter(({ openTimeMs }) => !missing.some((hole) => hole.fromMs === openTimeMs + venue.stepMs)),
  ).toHaveLength(6);
  const verdicts = classify(venue);
  expect(verdicts.filter(({ cause }) => cause !== 'known_incident')).toEqual([]);
  expect(
    candlesOf(
      verdicts.filter(({ evidence }) => evidence.rows === 'missing'),
      venue.stepMs,
    ),
  ).toBe(53);
});

test('Binance 2023-03-24: the flat hour and the missing one are the same outage', () => {
  const venue = venueOf(recorded('binance', '1h', '2023-01-01T00:00Z'));
  expect(linesOf(classify(venue), venue.stepMs)).toEqual([
    'BTC/USDT 2023-03-24T12:00 1 outage known_incident',
    'BTC/USDT 2023-03-24T13:00 1 outage known_incident',
  ]);
});

test('Coinbase 2023-03: the 277 minutes and the four are outages, nine single minutes had no trades', () => {
  const venue = venueOf(recorded('coinbase', '1m', '2023-03-01T00:00Z'));
  const verdicts = classify(venue);
  expect(
    linesOf(
      verdicts.filter(({ state }) => state === 'outage'),
      venue.stepMs,
    ),
  ).toEqual(['BTC/USD 2023-03-04T17:00 277 outage known_incident', 'BTC/USD 2023-03-10T02:40 4 outage known_incident']);
  expect(verdicts.filter(({ state }) => state === 'no_trades')).toHaveLength(9);
  expect(verdicts).toHaveLength(11);
});

test('one liquid symbol alone does not pause for 277 minutes: without the list it is pending, not no_trades', () => {
  const venue = venueOf(recorded('coinbase', '1m', '2023-03-01T00:00Z'));
  expect(
    linesOf(
      classify(venue, []).filter(({ state }) => state !== 'no_trades'),
      venue.stepMs,
    ),
  ).toEqual(['BTC/USD 2023-03-04T17:00 277 pending few_liquid_symbols']);
});

test.each(['15m 2024-10-01T00:00Z', '1h 2021-05-04T01:00Z'])(
  'markets that never paused do not pause for four candles of %s',
  (series) => {
    const [interval = '', from = ''] = series.split(' ');
    expect(new Set(classify(venueOf(recorded('coinbase', interval, from)), []).map(({ cause }) => cause))).toEqual(
      new Set(['few_liquid_symbols']),
    );
  },
);

test('Coinbase 2024-10-26: four quarter hours of both markets are an outage', () => {
  const venue = venueOf(recorded('coinbase', '15m', '2024-10-01T00:00Z'));
  expect(linesOf(classify(venue), venue.stepMs)).toEqual([
    'BTC/USD 2024-10-26T16:15 4 outage known_incident',
    'ETH/USD 2024-10-26T16:15 4 outage known_incident',
  ]);
});

test('Coinbase 1h 2021-2024: the only four hours missing are the outage of March 2023', () => {
  const venue = venueOf(recorded('coinbase', '1h', '2021-05-04T01:00Z'));
  expect(linesOf(classify(venue), venue.stepMs)).toEqual(['BTC/USDT 2023-03-04T17:00 4 outage known_incident']);
});

test('OKX: the ten flat hours of 2022 count as an outage although their rows are present', () => {
  const venue = venueOf(recorded('okx', '1h', '2021-05-01T00:00Z'));
  expect(linesOf(classify(venue), venue.stepMs)).toEqual([
    'BTC/USDT 2022-06-01T17:00 1 outage known_incident',
    'BTC/USDT 2022-12-18T09:00 9 outage known_incident',
  ]);
});

test('Kraken: single thin minutes had no trades, the twelve of 2023-03-16 are an outage', () => {
  const venue = venueOf(recorded('kraken', '1m', '2023-03-01T00:00Z'));
  const verdicts = classify(venue);
  expect(
    linesOf(
      verdicts.filter(({ state }) => state !== 'no_trades'),
      venue.stepMs,
    ),
  ).toEqual(['BTC/USD 2023-03-16T22:01 12 outage known_incident']);
  expect(
    candlesOf(
      verdicts.filter(({ cause }) => cause === 'thin_market'),
      venue.stepMs,
    ),
  ).toBe(48);
});

test('flat minutes of one quiet market get no verdict: they are present', () => {
  expect(classify(venueOf(recorded('binanceus', '1m', '2023-03-01T00:00Z')))).toEqual([]);
});

test('every hole of a downloader that loses each 301st minute is found', () => {
  const venue = venueOf(recorded('cryptocom', '1m', '2023-03-01T00:00Z'));
  for (const emptyCandles of ['flat', 'omitted'] as const) {
    const verdicts = classify({ ...venue, emptyCandles });
    expect(verdicts).toHaveLength(24);
    expect(
      new Set(verdicts.map(({ state, cause, evidence }) => `${state} ${cause} ${evidence.spacing?.periodCandles}`)),
    ).toEqual(new Set(['pending pagination 301']));
  }
});

test('the day files of 2018 that end too early are not no_trades', () => {
  const venue = venueOf(recorded('coinbase', '1m', '2018-04-04T00:00Z'));
  expect(
    linesOf(
      classify(venue).filter(({ state }) => state !== 'no_trades'),
      venue.stepMs,
    ),
  ).toEqual([
    'BTC/USD 2018-04-04T16:48 432 pending few_liquid_symbols',
    'ETH/USD 2018-04-04T16:48 4 pending few_liquid_symbols',
    'ETH/USD 2018-04-04T16:53 427 pending few_liquid_symbols',
  ]);
});

test('the evidence holds what other venues did, and a stall everywhere is no outage of one venue', () => {
  const recordings = recorded('binance', '1m', '2021-04-24T00:00Z');
  const silent = { ...asOtherVenue(venueOf(recordings)), exchange: 'coinbase' };
  const causes = (others: VenueRecord['others']) =>
    classify(venueOf(recordings, others), []).map(({ cause, evidence }) => ({
      cause,
      others: evidence.silence?.others,
    }));
  expect(causes([{ ...silent, traded: silent.answered }])[0]).toEqual({
    cause: 'venue_outage',
    others: { trading: ['coinbase'], silent: [] },
  });
  expect(causes([silent])[0]).toEqual({ cause: 'unexplained', others: { trading: [], silent: ['coinbase'] } });
});

test('a record is plain JSON: read back, it gives the same verdicts', () => {
  const venue = venueOf(recorded('binance', '1m', '2021-04-24T00:00Z'));
  expect(classify(JSON.parse(JSON.stringify(venue)) as VenueRecord)).toEqual(classify(venue));
});
