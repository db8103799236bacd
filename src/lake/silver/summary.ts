import { createHash } from 'node:crypto';
import { silverColumns, type SilverRow } from '../candle-columns.ts';
import type { ManifestEntry, SymbolSpan } from '../manifest.ts';
import type { PeriodRows } from './period.ts';

/** The part of a manifest entry that is computed from the rows. */
export type PeriodSummary = Pick<
  ManifestEntry,
  'rowsSha256' | 'rowsIn' | 'rowsOut' | 'removedByRule' | 'warningsByRule' | 'symbols'
>;

export const summaryOf = (period: Pick<PeriodRows, 'rows' | 'quarantined' | 'warned'>): PeriodSummary => ({
  rowsSha256: hashRows(period.rows),
  rowsIn: period.rows.length + period.quarantined.length,
  rowsOut: period.rows.length,
  removedByRule: countRules(period.quarantined.map(({ rules }) => rules)),
  warningsByRule: countRules(period.warned.map(({ rules }) => rules)),
  symbols: spansOf(period.rows),
});

/** Hash of the rows, independent of the file's encoding: texts by line, numbers as doubles, NaN for null. */
function hashRows(rows: readonly SilverRow[]): string {
  const hash = createHash('sha256');
  for (const { name, type, values } of silverColumns(rows)) {
    hash
      .update(`${name}\n`)
      .update(
        type === 'string' ? values.join('\n') : new Float64Array(values.map((value) => Number(value ?? Number.NaN))),
      );
  }
  return hash.digest('hex');
}

export function countRules(ruleLists: readonly (readonly string[])[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const rule of ruleLists.flat()) counts[rule] = (counts[rule] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** `rows` sorted by symbol and time. */
function spansOf(rows: readonly SilverRow[]): SymbolSpan[] {
  return [...Map.groupBy(rows, (row) => row.symbol)].map(([symbol, own]) => ({
    symbol,
    rows: own.length,
    firstOpenMs: (own[0] as SilverRow).openTimeMs,
    lastOpenMs: (own.at(-1) as SilverRow).openTimeMs,
  }));
}
