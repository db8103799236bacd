import type { Column, ColumnValue } from '../platform/ports/parquet.ts';
import { silverColumns, silverRows, type SilverRow } from './candle-columns.ts';

/** A row that breaks a rule, and where the answer that delivered it lies. */
export interface QuarantinedRow {
  readonly row: SilverRow;
  readonly rules: readonly string[];
  readonly runId: string;
  /** `page#index`: the answer in bronze by its id, and the row's place in it. */
  readonly raw: string;
}

/** Silver's columns and what is known of the row's fault. */
export function quarantineColumns(quarantined: readonly QuarantinedRow[]): Column[] {
  return [
    // What is no whole number has no place in its column; bronze keeps it as it came.
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

/** Where one row of an answer lies: the answer's id, wherever bronze keeps it, and the row's place in it. */
export interface RawPlace {
  readonly page: string;
  readonly index: number;
}

export const rawReference = ({ page, index }: RawPlace): string => `${page}#${index}`;

/** Reads a reference back; null for text that is none. */
export function parseRawReference(text: string): RawPlace | null {
  const [, page, index] = /^(\w+)#(\d+)$/.exec(text) ?? [];
  return page === undefined ? null : { page, index: Number(index) };
}
