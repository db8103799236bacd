/** 2010-01-01 to 2100-01-01 in milliseconds: 13 digits. Seconds and microseconds fall outside. */
const TIME_MS_MIN = 1_262_304_000_000;
const TIME_MS_MAX = 4_102_444_800_000;

/** True for a moment in epoch milliseconds; false for anything else and for any other unit. */
export const isTimeMs = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= TIME_MS_MIN && value < TIME_MS_MAX;

/** A decimal, as text or JSON number, `7.0E-8` included. Anything else is NaN, which the row rules reject. */
export const decimalOf = (value: unknown): number =>
  typeof value === 'number' ? value : typeof value === 'string' && DECIMAL.test(value) ? Number(value) : Number.NaN;
const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
