import { dayStartMs, type Day } from '../domain/partition.ts';
import type { CellState } from '../domain/cell.ts';
import { isWaitedFor, type Gap, type GapReason, type GapState, type WantedGaps } from '../domain/gap.ts';
import { rangesOfRuns, runLengthsOf, type RunLengths } from './run-lengths.ts';

/** Stored form of a cell's gaps. The text of a gap begins with state and code: `["pending","ROWS_MISSING",`. */
type GapsText = readonly [state: GapState, code: GapReason['code'], cause: GapReason['cause'], runs: RunLengths];

/** Gaps of one day, grouped by reason: in a thin market hundreds share one. */
export function gapsToText(day: Day, gaps: readonly Gap[]): string {
  const groups = Map.groupBy(gaps, ({ state, code, cause }) => JSON.stringify([state, code, cause]));
  return JSON.stringify(
    [...groups.values()].map((own): GapsText => {
      const { state, code, cause } = own[0] as Gap;
      return [state, code, cause, runLengthsOf(own, dayStartMs(day))];
    }),
  );
}

/** Oldest first. */
export function gapsFromText(day: Day, text: string, wanted: WantedGaps = 'all'): Gap[] {
  if (text === NO_GAPS) return [];
  const groups = (JSON.parse(text) as readonly GapsText[]).filter(
    ([state]) => wanted === 'all' || isWaitedFor({ state }),
  );
  const gaps = groups.flatMap(([state, code, cause, runs]) =>
    rangesOfRuns(runs, dayStartMs(day)).map(({ fromMs, toMs }): Gap => ({ fromMs, toMs, state, code, cause })),
  );
  return groups.length < 2 ? gaps : gaps.toSorted((a, b) => a.fromMs - b.fromMs);
}

const NO_GAPS = '[]';

/** A pattern for SQL's `like` that finds cells with candles pending under this code. */
export const pendingPattern = (code: string): string => `%["pending","${code}",%`;

export const flatToText = (day: Day, flat: CellState['flat']): string =>
  JSON.stringify(runLengthsOf(flat, dayStartMs(day)));
export const flatFromText = (day: Day, text: string): CellState['flat'] =>
  rangesOfRuns(JSON.parse(text) as RunLengths, dayStartMs(day));

type CutText = readonly [openTimeMs: number, closeTimeMs: number];

export const truncatedToText = (cut: CellState['cut']): string =>
  JSON.stringify(cut.map(({ openTimeMs, closeTimeMs }): CutText => [openTimeMs, closeTimeMs]));
export const truncatedFromText = (text: string): CellState['cut'] =>
  (JSON.parse(text) as CutText[]).map(([openTimeMs, closeTimeMs]) => ({ openTimeMs, closeTimeMs }));
