/** Far larger than any candle page or symbol list; reading a larger body is aborted. Unit: bytes. */
export const BODY_BYTES_MAX = 64 * 1024 * 1024;

export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
}
