import { expect } from 'vitest';
import { intervalMs } from '../../src/domain/interval.ts';
import type { DeliveredRow, Page } from '../../src/exchanges/adapter.ts';
import { validateRow } from '../../src/lake/quality/row-rules.ts';
import { worldOf } from '../../src/simulation/world.ts';
import type { RecordedCandle } from '../../src/simulation/recorded-series.ts';
import { RECORDINGS } from '../support/recordings.ts';
import { respondWith, type VenueCase } from './exchange-case.ts';
import { queryStandIn, failureOf, seriesOf, START_MS } from './exchange-harness.ts';
import { decimalsIn, type Mutation } from './mutation.ts';

/** After every recording. */
export const LATER_MS = Date.UTC(2026, 5, 1, 12);

/** Rows that break no rule and would be stored. */
const validOf = (rows: readonly DeliveredRow[], page: Page): DeliveredRow[] =>
  rows.filter((row) => validateRow(row, page.series, { fetchedAtMs: LATER_MS }).errors.length === 0);

export interface Original {
  readonly page: Page;
  readonly body: string;
  /** Valid rows of the unchanged body, by open time. */
  readonly rows: ReadonlyMap<number, DeliveredRow>;
}

/** Responses with recorded candles, recorded responses, and every refusal of the case. */
export function originalsOf(venue: VenueCase): readonly Original[] {
  const { adapter } = venue;
  const recordings = (RECORDINGS.get(adapter.exchange)?.series ?? []).map((series) => {
    const openTimeMs = (series.rows[Math.floor(series.rows.length / 2)] as RecordedCandle)[0];
    const page: Page = {
      series: { exchange: adapter.exchange, symbol: series.symbol, interval: series.interval },
      range: { fromMs: openTimeMs, toMs: openTimeMs + 40 * intervalMs(series.interval) },
    };
    return {
      page,
      body: Buffer.from(
        queryStandIn(venue, worldOf([series]), adapter.candlesRequest(venue.origin, page, LATER_MS).url, LATER_MS).body,
      ).toString('utf8'),
    };
  });
  const page = { series: seriesOf(venue, '1m'), range: { fromMs: START_MS, toMs: START_MS + 6_000_000 } };
  const refused = venue.refusals.map(({ body }) => ({
    page,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }));
  return [
    ...recordings,
    ...venue.recorded.map((one) => ({ page: one.page, body: JSON.stringify(one.body) })),
    ...refused,
  ].map((one) => {
    const read = failureOf(() => adapter.readCandles(one.page, respondWith(200, one.body), LATER_MS));
    return {
      ...one,
      rows: new Map(
        Array.isArray(read) ? validOf(read as DeliveredRow[], one.page).map((row) => [row.openTimeMs, row]) : [],
      ),
    };
  });
}

interface Reading {
  readonly original: Original;
  readonly mutation: Mutation;
  readonly body: string;
  readonly rows: readonly DeliveredRow[];
  readonly context: string;
}

/**
 * Checks the rows that an adapter accepted. An adapter can check shape, types, unit, range, grid, whether a candle has
 * closed, the order of its prices and its average price. It cannot notice that one plausible decimal replaced another.
 * So every row lies on the grid of the page and equals the row that was sent. After a mutation of digits, each of its
 * values must at least be a decimal of the body.
 */
export function expectOnlySentValues(venue: VenueCase, { original, mutation, body, rows, context }: Reading): void {
  const { series, range } = original.page;
  const decimals = mutation.spoils === 'digits' ? decimalsIn(body) : new Set<number>();
  for (const { index: _index, ...row } of validOf(rows, original.page)) {
    expect(
      row.openTimeMs % intervalMs(series.interval) === 0 &&
        row.openTimeMs >= range.fromMs &&
        row.openTimeMs < range.toMs,
      context,
    ).toBe(true);
    if (mutation.spoils === 'values') {
      const { index: _sent, ...sent } = original.rows.get(row.openTimeMs) ?? { index: 0 };
      expect(row, context).toEqual(sent);
      continue;
    }
    const { openTimeMs, closeTimeMs, ...values } = row;
    expect(
      decimals.has(openTimeMs / venue.timeUnitMs) && (closeTimeMs === null || decimals.has(closeTimeMs)),
      context,
    ).toBe(true);
    for (const value of Object.values(values))
      expect(value === null || decimals.has(value), `${context}: ${value}`).toBe(true);
  }
}
