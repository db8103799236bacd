import type { Column, ColumnValue } from '../platform/ports/parquet.ts';
import { silverColumns, silverRows, type SilverRow } from './candle-columns.ts';

/** A row that breaks a rule, with the place of the response that delivered it. */
export interface QuarantinedRow {
  readonly row: SilverRow;
  readonly rules: readonly string[];
  readonly runId: string;
  /** `page#index`: the id of the response in bronze, and the row's index in it. */
  readonly raw: string;
}

/** Silver's columns, plus the broken rules, the run and the raw reference. */
export function quarantineColumns(quarantined: readonly QuarantinedRow[]): Column[] {
  return [
    // The column holds integers only; bronze has the value as delivered.
    ...silverColumns(
      quarantined.map(({ row }) => ({ ...row, trades: Number.isSafeInteger(row.trades) ? row.trades : null })),
    ),
    { name: 'rule', type: 'string', values: quarantined.map(({ rules }) => rules.join(',')) },
    { name: 'run_id', type: 'string', values: quarantined.map(({ runId }) => runId) },
    { name: 'raw', type: 'string', values: quarantined.map(({ raw }) => raw) },
  ];
}

/** Rows of a quarantine file. */
export function quarantineRows(columns: ReadonlyMap<string, readonly ColumnValue[]>): QuarantinedRow[] {
  const text = (name: string, at: number): string => String(columns.get(name)?.[at] ?? '');
  return silverRows(columns).map((row, at) => ({
    row,
    rules: text('rule', at).split(','),
    runId: text('run_id', at),
    raw: text('raw', at),
  }));
}

/** The place of one row: the id of its response in bronze, and the row's index in it. */
export interface RawPlace {
  readonly page: string;
  readonly index: number;
}

export const rawReference = ({ page, index }: RawPlace): string => `${page}#${index}`;

/** Parses a reference; null for text that is none. */
export function parseRawReference(text: string): RawPlace | null {
  const [, page, index] = /^(\w+)#(\d+)$/.exec(text) ?? [];
  return page === undefined ? null : { page, index: Number(index) };
}
