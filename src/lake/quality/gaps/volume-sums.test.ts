import { expect, test } from 'vitest';
import { isLongerUnfinished, isTradeLost, volumeSums } from './volume-sums.ts';
import { DAY_MS } from '../../../domain/interval.ts';

const HOUR_MS = 3_600_000;
const FROM_MS = Date.UTC(2025, 3, 19);
/** BTC/USDT volumes of the hours of 2025-04-19 on Binance. Recorded by finom/static-klines @338eb785. */
const HOURS = [
  150.92673, 171.80102, 367.84088, 414.87445, 942.76304, 439.14401, 475.42537, 402.38216, 302.42907, 358.6547,
  280.34551, 436.9476, 264.18234, 455.21546, 345.18822, 1519.86316, 880.38359, 335.55555, 373.22771, 199.95038,
  127.37715, 141.13902, 155.47632, 125.48809,
];
const stored = HOURS.map((volume, hour) => ({ openTimeMs: FROM_MS + hour * HOUR_MS, volume }));
const whole = { fromMs: FROM_MS, toMs: FROM_MS + DAY_MS };
const sums = (volume: number, of = stored, over: Partial<Parameters<typeof volumeSums>[0]> = {}) =>
  volumeSums({
    stored: of,
    longer: [{ openTimeMs: FROM_MS, volume }],
    longerStepMs: DAY_MS,
    answered: [whole],
    cut: [],
    ...over,
  });

test('the hours of a day add up to the day', () => {
  const [sum] = sums(9_666.58153);
  expect(sum).toMatchObject(whole);
  expect([isTradeLost(sum!), isLongerUnfinished(sum!)]).toEqual([false, false]);
});

test('a day that was stored while it was still open holds less than its hours', () => {
  // As wexlersolk/p1 @8e54dbc8 kept it; the closed candle has 9666.58153.
  expect(sums(2_384.86247).map(isLongerUnfinished)).toEqual([true]);
});

test('an hour that we lost is in the day, and its trades with it', () => {
  expect(
    sums(
      9_666.58153,
      stored.filter((_, hour) => hour !== 15),
    ).map(isTradeLost),
  ).toEqual([true]);
});

test('an hour without trades is missed by no sum', () => {
  expect(sums(9_666.58153 - 125.48809, stored.slice(0, -1)).map(isTradeLost)).toEqual([false]);
});

test('a cut day, and one that was not answered for as a whole, prove nothing', () => {
  expect(sums(9_666.58153, [], { cut: [{ openTimeMs: FROM_MS, closeTimeMs: FROM_MS + HOUR_MS }] })).toEqual([]);
  expect(sums(9_666.58153, [], { answered: [{ fromMs: FROM_MS + HOUR_MS, toMs: FROM_MS + 2 * DAY_MS }] })).toEqual([]);
});
