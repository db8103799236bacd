import { expect, test } from 'vitest';
import { filesOfLife } from '../support/lifetime.ts';
import { rehearse, TAPES } from '../support/simulated.ts';

const DAYS = { start: '2024-06-01', end: '2024-06-05' };
const HOUR_MS = 3_600_000;
const stored = (seed: string) =>
  rehearse({
    seed,
    symbols: ['BTC/USDT', 'ETH/USDT'],
    interval: '1h',
    plan: {
      seed,
      rules: [{ match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'slow', delayMs: 200 } }],
    },
  });

test.each([
  ['an hour forward', HOUR_MS],
  ['an hour back', -HOUR_MS],
  ['a day forward', 24 * HOUR_MS],
  ['a day back', -24 * HOUR_MS],
])('a clock that is set %s while candles are asked for changes neither bytes nor account', async (_how, byMs) => {
  const whole = await stored('still');
  await whole.run({ days: DAYS });
  const rehearsal = await stored('jump');
  void rehearsal.clock.sleep(100).then(() => rehearsal.clock.jump(byMs));
  expect(await rehearsal.run({ days: DAYS })).toMatchObject({ ending: 'done', pending: 0 });
  expect(await rehearsal.run({ days: DAYS })).toMatchObject({ ending: 'done', pending: 0 });
  expect(filesOfLife(rehearsal)).toEqual(filesOfLife(whole));
  for (const recorded of TAPES.series.filter((series) => series.interval === '1h' && series.symbol !== 'SOL/USDT'))
    expect(await rehearsal.compare('binance', recorded, DAYS)).toMatchObject({
      lost: 0,
      doubled: 0,
      invented: 0,
      wrong: 0,
    });
});
