import type { Column, ColumnValue } from '../../kernel/parquet.ts';
import { silverColumns, silverRows, type SilverRow } from './candle-columns.ts';

/** A row that breaks a rule, and where the answer that delivered it lies. */
export interface QuarantinedRow {
  readonly row: SilverRow;
  readonly rules: readonly string[];
  readonly runId: string;
  /** `segment@offset#index`: the answer in bronze and the row's place in it. */
  readonly raw: string;
}

/** Silver's columns and what is known of the row's fault. */
export function quarantineColumns(quarantined: readonly QuarantinedRow[]): Column[] {
  return [
    // What is no whole number has no place in its column; bronze keeps it as it came.
    ...silverColumns(quarantined.map(({ row }) => ({ ...row, trades: Number.isSafeInteger(row.trades) ? row.trades : null }))),
    { name: 'rule', type: 'string', values: quarantined.map(({ rules }) => rules.join(',')) },
    { name: 'run_id', type: 'string', values: quarantined.map(({ runId }) => runId) },
    { name: 'raw', type: 'string', values: quarantined.map(({ raw }) => raw) },
  ];
}

/** Rows of a quarantine file. */
export function quarantineRows(columns: ReadonlyMap<string, readonly ColumnValue[]>): QuarantinedRow[] {
  const text = (name: string, at: number): string => String(columns.get(name)?.[at] ?? '');
  return silverRows(columns).map((row, at) => ({ row, rules: text('rule', at).split(','), runId: text('run_id', at), raw: text('raw', at) }));
}

/** Where one row of an answer lies in bronze. */
export interface RawPlace {
  /** Relative to the data directory. */
  readonly segment: string;
  readonly offset: number;
  readonly index: number;
}

export const rawReference = ({ segment, offset, index }: RawPlace): string => `${segment}@${offset}#${index}`;

/** Reads a reference back; null for text that is none. */
export function parseRawReference(text: string): RawPlace | null {
  const [, segment, offset, index] = /^(.+)@(\d+)#(\d+)$/.exec(text) ?? [];
  return segment === undefined ? null : { segment, offset: Number(offset), index: Number(index) };
}
