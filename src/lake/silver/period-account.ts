import { cellsOfSeries } from '../../state/cells.ts';
import type { CellState } from '../../domain/cell.ts';
import type { FailedRange } from '../../domain/gap.ts';
import { firstCandleOf } from '../../state/symbols.ts';
import { intervalMs } from '../../domain/interval.ts';
import { dayOf, dayRange, periodRange, type Day } from '../../domain/partition.ts';
import { intersectRanges, type TimeRange } from '../../domain/range.ts';
import { coverageOf, damagedRanges } from '../bronze/page-index.ts';
import type { PeriodKey } from '../layout.ts';
import { notableRows } from '../quality/gaps/series-record.ts';
import type { SilverContext, SymbolScope } from './silver-context.ts';
import { accountCell } from './cell-account.ts';
import type { PeriodRows } from './period.ts';

/**
 * Adds the ranges of damaged responses to the scopes: their candles are no longer in the file, so these cells are
 * counted again, even if the run did not request them.
 */
export async function withDamaged(
  { ports }: SilverContext,
  key: PeriodKey,
  scopes: readonly SymbolScope[],
): Promise<SymbolScope[]> {
  const damaged = await ports.store.read(damagedRanges, key, periodRange(key.period));
  const others = [...damaged.keys()].filter((symbol) => !scopes.some((scope) => scope.symbol === symbol));
  const all = [
    ...scopes,
    ...others.map((symbol): SymbolScope => ({ symbol, days: [], requestedDays: new Set(), openDays: [], failed: [] })),
  ];
  return Promise.all(
    all.map(async (scope) => {
      const ranges = damaged.get(scope.symbol);
      if (ranges === undefined) return scope;
      const days = [
        ...new Set([...scope.days, ...(await knownDays({ ports }, { ...key, symbol: scope.symbol }, ranges))]),
      ].toSorted();
      return {
        ...scope,
        days,
        failed: [
          ...scope.failed,
          ...ranges.map((range): FailedRange => ({ range, code: 'ANSWER_DAMAGED', notBeforeMs: null })),
        ],
      };
    }),
  );
}

/** Days of these ranges that have a cell. */
async function knownDays(
  { ports }: Pick<SilverContext, 'ports'>,
  series: Omit<PeriodKey, 'period'> & { readonly symbol: string },
  ranges: readonly TimeRange[],
): Promise<Day[]> {
  const days = {
    start: dayOf(Math.min(...ranges.map(({ fromMs }) => fromMs))),
    end: dayOf(Math.max(...ranges.map(({ toMs }) => toMs)) - 1),
  };
  const cells = await ports.store.read(cellsOfSeries, series, days);
  return cells.map(({ day }) => day).filter((day) => intersectRanges([dayRange(day)], ranges).length > 0);
}

/** Counts the cells of these scopes from the rows of their period. */
export async function accountPeriod(
  context: SilverContext,
  key: PeriodKey,
  found: { readonly scopes: readonly SymbolScope[]; readonly period: PeriodRows },
): Promise<CellState[]> {
  const { store, clock } = context.ports;
  const { scopes, period } = found;
  const presentBySymbol = Map.groupBy(period.rows, (row) => row.symbol);
  const quarantinedBySymbol = Map.groupBy(period.quarantined, ({ row }) => row.symbol);
  const nowMs = clock.nowMs();
  const cells: CellState[] = [];
  for (const scope of scopes) {
    const series = { exchange: key.exchange, symbol: scope.symbol, interval: key.interval };
    const [start, end] = [scope.days[0], scope.days.at(-1)];
    if (start === undefined || end === undefined) continue;
    const known = await store.read(function* cellFindings() {
      return {
        before: yield* cellsOfSeries(series, { start, end }),
        covered: yield* coverageOf(series, { fromMs: dayRange(start).fromMs, toMs: dayRange(end).toMs }),
        first: yield* firstCandleOf(series),
      };
    });
    const before = new Map(known.before.map((cell) => [cell.day, cell]));
    const rows = presentBySymbol.get(scope.symbol) ?? [];
    const present = new Set(rows.map((row) => row.openTimeMs));
    const planned = notableRows(rows, intervalMs(key.interval));
    const quarantined = new Set((quarantinedBySymbol.get(scope.symbol) ?? []).map(({ row }) => row.openTimeMs));
    const dropped = new Set(
      [...quarantined].filter(
        (openTimeMs) => period.decisions.of({ symbol: scope.symbol, openTimeMs })?.verdict === 'drop',
      ),
    );
    for (const day of scope.days) {
      cells.push(
        accountCell({
          cell: { ...series, day },
          firstCandleMs: known.first?.openMs ?? null,
          present,
          quarantined,
          dropped,
          planned,
          covered: known.covered,
          failed: scope.failed,
          before: before.get(day) ?? null,
          isRequested: scope.requestedDays.has(day),
          nowMs,
          recheckAfterMs: context.recheckAfterMs,
        }),
      );
    }
  }
  return cells;
}
