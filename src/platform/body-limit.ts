/** No candle page or symbol list comes near this; a larger body is cut off as hostile. Unit: bytes. */
export const BODY_BYTES_MAX = 64 * 1024 * 1024;

export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
}
