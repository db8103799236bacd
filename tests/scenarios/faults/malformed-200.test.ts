import { describe, expect, test } from 'vitest';
import { DAY_MS } from '../../../src/domain/interval.ts';
import { dayOf } from '../../../src/domain/partition.ts';
import { gridOf, type TimeRange } from '../../../src/domain/range.ts';
import { symbolJoined, symbolPath } from '../../../src/domain/symbol.ts';
import { planPages } from '../../../src/exchanges/planner.ts';
import { loadAdapters } from '../../../src/exchanges/registry.ts';
import type { GapReport } from '../../../src/engine/queries/gap-report.ts';
import { readCandles } from '../../../src/engine/queries/candle-reader.ts';
import { faultsOfRun } from '../../../src/state/fault-log.ts';
import type { FaultCode } from '../../../src/errors/table.ts';
import type { FaultSpec } from '../../../src/simulation/fault-plan.ts';
import { generatedWorld } from '../../../src/simulation/generated-world.ts';
import { STAND_INS } from '../../../src/simulation/stand-ins/stand-ins.ts';
import type { RecordedSeries } from '../../../src/simulation/recorded-series.ts';
import { simulateExchanges, START_MS, verifiedAccount, type Simulation } from '../../support/simulated.ts';

/** Kinds of a 200 without the requested candles, each with the code of its pending candles. */
const MALFORMED: readonly (readonly [what: string, fault: FaultSpec, code: FaultCode | null])[] = [
  ['truncated JSON', { kind: 'truncated-json' }, 'CONNECTION_FAILED'],
  ['a body cut by the connection', { kind: 'cut' }, 'CONNECTION_FAILED'],
  ['a web page', { kind: 'html' }, 'SCHEMA_MISMATCH'],
  ['an empty body', { kind: 'empty-body' }, 'SCHEMA_MISMATCH'],
  ['no rows', { kind: 'empty-list' }, 'ROWS_MISSING'],
  ['half of the rows', { kind: 'short-page', keptRatio: 0.5 }, 'ROWS_MISSING'],
  ['the rows in another container', { kind: 'wrong-shape' }, 'SCHEMA_MISMATCH'],
  ['times a thousand times too large', { kind: 'wrong-unit', factor: 1_000 }, 'SCHEMA_MISMATCH'],
  ['times a million times too large', { kind: 'wrong-unit', factor: 1_000_000 }, 'SCHEMA_MISMATCH'],
  ['times a thousand times too small', { kind: 'wrong-unit', factor: 0.001 }, 'SCHEMA_MISMATCH'],
  ['null in some rows', { kind: 'null-fields', rows: 5 }, 'ROWS_INVALID'],
  ['text in some rows', { kind: 'invalid-rows', rule: 'no-number', rows: 5 }, 'ROWS_INVALID'],
  ['rows twice', { kind: 'duplicate-rows', rows: 40 }, null],
  ['the rows of another time', { kind: 'foreign-rows', how: 'instead' }, 'SCHEMA_MISMATCH'],
  ['rows of another time beside the right ones', { kind: 'foreign-rows', how: 'added' }, null],
];

const INTERVAL = '15m';
const RANGE: TimeRange = {
  fromMs: Math.floor(START_MS / DAY_MS) * DAY_MS - 26 * DAY_MS,
  toMs: Math.floor(START_MS / DAY_MS) * DAY_MS - DAY_MS,
};
const DAYS = { start: dayOf(RANGE.fromMs), end: dayOf(RANGE.toMs - 1) };
const GRID = gridOf(RANGE, INTERVAL);

describe.each(
  [...(await loadAdapters()).values()]
    .filter(({ exchange }) => STAND_INS.has(exchange))
    .map((adapter) => [adapter.exchange, adapter] as const),
)('%s', (exchange, { rowsPerPageMax }) => {
  const market = {
    symbol: 'BTC/USDT',
    venueSymbol: exchange === 'binance' ? symbolJoined('BTC/USDT') : symbolPath('BTC/USDT'),
    interval: INTERVAL,
    range: RANGE,
    quietPerMille: 0,
  } as const;
  const world = generatedWorld('zoo', [market]);
  const series = world.series[0] as RecordedSeries;
  const pages = planPages({ exchange, symbol: series.symbol, interval: INTERVAL }, [RANGE], rowsPerPageMax).map(
    (page) => page.range,
  );
  const positions = [
    ['first', pages[0]],
    ['middle', pages[Math.floor(pages.length / 2)]],
    ['last', pages.at(-1)],
  ] as const;

  test.each(
    positions.flatMap(([position, page]) =>
      MALFORMED.map(([what, fault, code]) => [position, what, { page, fault, code }] as const),
    ),
  )(
    'on the %s page %s: missing candles are pending under its code, and arrive once the venue has recovered',
    async (_position, _what, { page, fault, code }) => {
      const within = page as TimeRange;
      const simulation = await simulateExchanges({
        seed: 'zoo',
        interval: INTERVAL,
        venues: {
          [exchange]: {
            symbols: [series.symbol],
            world,
            plan: { seed: 'zoo', rules: [{ match: { interval: INTERVAL, within }, on: { every: 1 }, fault }] },
          },
        },
      });
      const result = await simulation.run({ days: DAYS });
      expect(simulation.venue.log.filter((entry) => entry.fault !== null).length).toBeGreaterThan(0);

      const [present, report] = [await openTimes(simulation, exchange), await reportOf(simulation)];
      const missing = GRID.filter((timeMs) => !present.has(timeMs));
      expect(missing.length > 0).toBe(code !== null);
      expect(missing.filter((timeMs) => timeMs < within.fromMs || timeMs >= within.toMs)).toEqual([]);
      expect(gapTimes(report), 'every missing candle is in the account under its code').toEqual(
        new Map(missing.map((timeMs) => [timeMs, code])),
      );
      expect(report.totals).toMatchObject({
        expected: GRID.length,
        present: present.size,
        pending: code === 'ROWS_INVALID' ? 0 : missing.length,
        quarantined: code === 'ROWS_INVALID' ? missing.length : 0,
      });
      expect(await simulation.compare(exchange, series, DAYS)).toMatchObject({
        lost: missing.length,
        doubled: 0,
        invented: 0,
        wrong: 0,
      });
      if (code !== null) expect(await loggedCodes(simulation, result.runs[0]?.id ?? '')).toContain(code);

      simulation.venue.plan({ seed: 'recovered', rules: [] });
      await simulation.heal('none');
      expect(await simulation.compare(exchange, series, DAYS)).toEqual({
        recorded: GRID.length,
        lost: 0,
        doubled: 0,
        invented: 0,
        wrong: 0,
      });
      expect(await reportOf(simulation)).toMatchObject({
        gaps: [],
        discrepancies: [],
        totals: { expected: GRID.length, present: GRID.length },
      });
    },
  );
});

async function openTimes({ clock, pipeline }: Simulation, exchange: string): Promise<ReadonlySet<number>> {
  const stored = await clock.runUntil(
    readCandles(pipeline, { series: { exchange, symbol: 'BTC/USDT', interval: INTERVAL }, range: RANGE }),
  );
  return new Set(stored.map((row) => row.openTimeMs));
}

const reportOf = (simulation: Simulation): Promise<GapReport> => verifiedAccount(simulation, DAYS);

const gapTimes = ({ gaps }: GapReport): Map<number, FaultCode | null> =>
  new Map(gaps.flatMap((gap) => gridOf(gap, INTERVAL).map((timeMs): [number, FaultCode | null] => [timeMs, gap.code])));

const loggedCodes = (simulation: Simulation, runId: string): Promise<readonly string[]> =>
  simulation.pipeline.ports.store
    .read(faultsOfRun, runId, 1_000)
    .then((entries) => entries.map((entry) => entry.record.code));
