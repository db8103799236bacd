/** Candle lengths, shortest first. All of them divide a UTC day, so a day holds a whole number of candles. */
export const INTERVALS = ['1m', '5m', '15m', '1h', '4h', '1d'] as const;
export type Interval = (typeof INTERVALS)[number];

const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;
const MS: Readonly<Record<Interval, number>> = {
  '1m': MINUTE_MS,
  '5m': 5 * MINUTE_MS,
  '15m': 15 * MINUTE_MS,
  '1h': 60 * MINUTE_MS,
  '4h': 240 * MINUTE_MS,
  '1d': DAY_MS,
};

export const isInterval = (text: string): text is Interval => (INTERVALS as readonly string[]).includes(text);
export const intervalMs = (interval: Interval): number => MS[interval];
