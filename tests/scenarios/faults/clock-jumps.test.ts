import { expect, test } from 'vitest';
import { filesOfLifetime } from '../../support/virtual/lifetime.ts';
import { simulate, BINANCE_RECORDINGS } from '../../support/simulated.ts';

const DAYS = { start: '2024-06-01', end: '2024-06-05' };
const HOUR_MS = 3_600_000;
const stored = (seed: string) =>
  simulate({
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
])('setting the clock %s while candles are fetched changes neither bytes nor account', async (_how, byMs) => {
  const whole = await stored('still');
  await whole.run({ days: DAYS });
  const simulation = await stored('jump');
  void simulation.clock.sleep(100).then(() => simulation.clock.jump(byMs));
  expect(await simulation.run({ days: DAYS })).toMatchObject({ ending: 'done', pending: 0 });
  expect(await simulation.run({ days: DAYS })).toMatchObject({ ending: 'done', pending: 0 });
  expect(filesOfLifetime(simulation)).toEqual(filesOfLifetime(whole));
  for (const recorded of BINANCE_RECORDINGS.series.filter(
    (series) => series.interval === '1h' && series.symbol !== 'SOL/USDT',
  ))
    expect(await simulation.compare('binance', recorded, DAYS)).toMatchObject({
      lost: 0,
      doubled: 0,
      invented: 0,
      wrong: 0,
    });
});
