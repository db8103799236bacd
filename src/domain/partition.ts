import { DAY_MS, type Interval } from './interval.ts';
import type { TimeRange } from './range.ts';

/** A UTC day, `2024-01-02`: the partition of every asset. */
export type Day = string;

const DAY_PATTERN = /^\d{4}-\d{2}-\d{2}$/;

export const dayOf = (timeMs: number): Day => new Date(timeMs).toISOString().slice(0, 10);
export const dayStartMs = (day: Day): number => Date.parse(`${day}T00:00:00Z`);
export const dayRange = (day: Day): TimeRange => ({ fromMs: dayStartMs(day), toMs: dayStartMs(day) + DAY_MS });

/** True for a date that exists, which `2024-02-30` does not. */
export const isDay = (text: string): boolean =>
  DAY_PATTERN.test(text) && !Number.isNaN(dayStartMs(text)) && dayOf(dayStartMs(text)) === text;

/** Every day from `start` to `end`, both included. */
export function daysBetween(start: Day, end: Day): Day[] {
  const days: Day[] = [];
  for (let timeMs = dayStartMs(start); timeMs <= dayStartMs(end); timeMs += DAY_MS) days.push(dayOf(timeMs));
  return days;
}

/** When a partition is due: its day has closed and the exchange's grace has passed. Epoch milliseconds. */
export const dueAtMs = (day: Day, graceMs: number): number => dayStartMs(day) + DAY_MS + graceMs;

/** Start of the first partition not due at `nowMs`; earlier candles are in the account. Epoch milliseconds. */
export const dueUntilMs = (nowMs: number, graceMs: number): number => Math.floor((nowMs - graceMs) / DAY_MS) * DAY_MS;

/** The span one silver file covers: a day for 1m and 5m, a month for 15m to 4h, a year for 1d. */
export type Period = string;

const PERIOD_CHARS: Readonly<Record<Interval, number>> = { '1m': 10, '5m': 10, '15m': 7, '1h': 7, '4h': 7, '1d': 4 };

/** `2024-01-02`, `2024-01` or `2024`, by interval. */
export const periodOf = (day: Day, interval: Interval): Period => day.slice(0, PERIOD_CHARS[interval]);

/** Periods that `range` touches, oldest first. */
export const periodsIn = ({ fromMs, toMs }: TimeRange, interval: Interval): readonly Period[] =>
  toMs <= fromMs ? [] : [...new Set(daysBetween(dayOf(fromMs), dayOf(toMs - 1)).map((day) => periodOf(day, interval)))];

export function periodRange(period: Period): TimeRange {
  const [year = 0, month, day] = period.split('-').map(Number);
  const fromMs = Date.UTC(year, (month ?? 1) - 1, day ?? 1);
  const toMs =
    day !== undefined ? fromMs + DAY_MS : month !== undefined ? Date.UTC(year, month, 1) : Date.UTC(year + 1, 0, 1);
  return { fromMs, toMs };
}
