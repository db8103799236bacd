/** Bytes that no Parquet reader accepts, or columns this lake does not write. */
export class ParquetUnreadableError extends Error {
  override readonly name = 'ParquetUnreadableError';
}
