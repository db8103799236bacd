import type { Exchange } from '../../domain/exchange.ts';
import { DAY_MS, INTERVALS, type Interval } from '../../domain/interval.ts';
import { dayStartMs, type Day } from '../../domain/partition.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import type { CellState } from '../../domain/cell.ts';

/** One healing run: adjacent days of one interval, and the symbols with missing candles. */
export interface HealingRun {
  readonly interval: Interval;
  readonly start: Day;
  readonly end: Day;
  readonly markets: ReadonlyMap<Exchange, readonly MarketSymbol[]>;
}

/** Keeps a healing run small. Unit: days. */
const DAYS_MAX = 31;

/** Groups cells whose next attempt is due into runs, newest days first: fresh candles matter more than history. */
export function planHealing(cells: readonly CellState[]): HealingRun[] {
  return INTERVALS.flatMap((interval) => {
    const own = cells
      .filter((cell) => cell.interval === interval)
      .toSorted((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
    const groups: CellState[][] = [];
    for (const cell of own) {
      const group = groups.at(-1);
      const [first, last] = [group?.[0], group?.at(-1)];
      const isNear =
        first &&
        last &&
        dayStartMs(cell.day) - dayStartMs(last.day) <= DAY_MS &&
        dayStartMs(cell.day) - dayStartMs(first.day) < DAYS_MAX * DAY_MS;
      if (group && isNear) group.push(cell);
      else groups.push([cell]);
    }
    return groups.map((group) => toRun(interval, group)).toReversed();
  });
}

function toRun(interval: Interval, cells: readonly CellState[]): HealingRun {
  const byExchange = Map.groupBy(cells, (cell) => cell.exchange);
  return {
    interval,
    start: (cells[0] as CellState).day,
    end: (cells.at(-1) as CellState).day,
    markets: new Map(
      [...byExchange].map(([exchange, own]) => [exchange, [...new Set(own.map((cell) => cell.symbol))].toSorted()]),
    ),
  };
}
