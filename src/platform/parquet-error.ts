/** Bytes that are not Parquet, or columns that this lake does not write. */
export class ParquetUnreadableError extends Error {
  override readonly name = 'ParquetUnreadableError';
}
