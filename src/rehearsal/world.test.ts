import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { volatileFiles } from '../kernel/volatile-files.ts';
import { loadTapes, parseTape } from './world.ts';

const WHOLE = 'open_time,open,high,low,close,volume,close_time,quote_volume,trades,taker_buy_base,taker_buy_quote,ignore\n1672531200000,16541.77000000,16545.70000000,16508.39000000,16529.67000000,4364.83570000,1672534799999,72146293.58672290,149854,2179.94772000,36032352.87035720,0\n';
const SIX = 'open_time,open,high,low,close,volume\n1619222400000,1.15872,1.1594,1.158,1.15829,239994.2\n1619222460000,1.15829,1.15829,1.15829,1.15829,0.0\n';

test('a whole kline is served digit for digit as it was recorded', () => {
  const { rows, columns, symbol } = parseTape(WHOLE, { venueSymbol: 'BTCUSDT', interval: '1h' });
  expect(columns).toBe('all');
  expect(symbol).toBe('BTC/USDT');
  expect(rows).toEqual([[1672531200000, '16541.77000000', '16545.70000000', '16508.39000000', '16529.67000000', '4364.83570000', 1672534799999, '72146293.58672290', 149854, '2179.94772000', '36032352.87035720', '0']]);
});

test('six recorded columns become a kline whose other fields are marked as made up', () => {
  const { rows, columns } = parseTape(SIX, { venueSymbol: 'ADAUSDT', interval: '1m' });
  expect(columns).toBe('first-six');
  expect(rows.map((row) => [row[6], row[8]])).toEqual([[1619222459999, 1], [1619222519999, 0]]);
  expect(Number(rows[0]![7])).toBeCloseTo(239994.2 * 1.15829, 6);
});

test('a row that is no kline is refused', () => {
  expect(() => parseTape('open_time,open\nyesterday,1\n', { venueSymbol: 'BTCUSDT', interval: '1h' })).toThrow('no kline');
});

test('parts of one series are joined and other folders passed over', () => {
  const files = volatileFiles();
  files.write('/tapes/1m/ADAUSDT-a.csv.gz', gzipSync(SIX));
  files.write('/tapes/1m/ADAUSDT-b.csv.gz', gzipSync(SIX.replace('1619222400000', '1619222340000')));
  files.write('/tapes/2h/BTCUSDT-c.csv.gz', gzipSync(WHOLE));
  const world = loadTapes(files, '/tapes');
  expect(world.series.map((series) => [series.venueSymbol, series.rows.map((row) => row[0])])).toEqual([['ADAUSDT', [1619222340000, 1619222400000, 1619222460000]]]);
});
