import { expect, test } from 'vitest';
import type { Candle } from '../src/domain/candle.ts';
import { DAY_MS } from '../src/domain/interval.ts';
import { candlesOf, rangeOf, symbolsOf, type Workload } from './workload.ts';
import { assess, type StoredDay } from './assessment.ts';

const workload: Pick<Workload, 'seed' | 'symbols' | 'range'> = {
  seed: 'assessment',
  symbols: symbolsOf(2),
  range: rangeOf(2),
};
const NOTHING = { lost: 0, wrong: 0, doubled: 0, invented: 0, silent: 0 };

const wholeDays = (): StoredDay[] =>
  workload.symbols.flatMap((symbol) =>
    [0, 1].map((day) => {
      const dayMs = workload.range.fromMs + day * DAY_MS;
      const rows = candlesOf(workload).select(
        { venueSymbol: symbol.replace('/', ''), interval: '1m' },
        { fromMs: dayMs, toMs: dayMs + DAY_MS, rowsMax: Infinity, keep: 'oldest' },
      );
      return {
        symbol,
        dayMs,
        candles: rows.map(
          ([openTimeMs, open, high, low, close, volume, closeTimeMs, quoteVolume, trades]): Candle => ({
            openTimeMs,
            open: Number(open),
            high: Number(high),
            low: Number(low),
            close: Number(close),
            volume: Number(volume),
            closeTimeMs,
            quoteVolume: Number(quoteVolume),
            trades,
          }),
        ),
      };
    }),
  );
const assessed = (stored: StoredDay[], reported: Parameters<typeof assess>[1]['reported'] = []) =>
  assess(workload, { stored, columns: 'all', reported });

test('a complete result has every candle right', async () => {
  expect(await assessed(wholeDays())).toEqual({ expected: 5_760, right: 5_760, ...NOTHING });
});

test('a missing day is lost in silence unless the client reported it', async () => {
  const [first, ...rest] = wholeDays() as [StoredDay, ...StoredDay[]];
  expect(await assessed(rest)).toEqual({ expected: 5_760, right: 4_320, ...NOTHING, lost: 1_440, silent: 1_440 });
  const half = { symbol: first.symbol, fromMs: first.dayMs, toMs: first.dayMs + DAY_MS / 2, why: 'known' };
  expect(await assessed(rest, [half])).toEqual({ expected: 5_760, right: 4_320, ...NOTHING, lost: 1_440, silent: 720 });
});

test('a wrong value is a silent loss, a second row is doubled, a row off the grid is invented', async () => {
  const [first, ...rest] = wholeDays() as [StoredDay, ...StoredDay[]];
  const [one, ...others] = first.candles as [Candle, ...Candle[]];
  const spoilt = {
    ...first,
    candles: [
      { ...one, close: one.close + 0.01 },
      ...others,
      ...others.slice(0, 3),
      { ...one, openTimeMs: one.openTimeMs + 1 },
    ],
  };
  expect(await assessed([spoilt, ...rest])).toEqual({
    expected: 5_760,
    right: 5_759,
    lost: 0,
    wrong: 1,
    doubled: 3,
    invented: 1,
    silent: 1,
  });
});
