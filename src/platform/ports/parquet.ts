/** Column types the lake uses. `timestamp` is epoch milliseconds in memory and TIMESTAMPTZ (UTC) in the file. */
export type ColumnType = 'timestamp' | 'string' | 'double' | 'bigint';
export type ColumnValue = string | number | null;

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly values: readonly ColumnValue[];
}

export interface Parquet {
  /** One Parquet file with the rows in the given order. The same columns give the same bytes. */
  encode(columns: readonly Column[]): Promise<Uint8Array>;
  /**
   * Columns by name, `timestamp` as epoch milliseconds, integers as numbers.
   * @throws ParquetUnreadableError.
   */
  decode(bytes: Uint8Array): Promise<ReadonlyMap<string, readonly ColumnValue[]>>;
}
