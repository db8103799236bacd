import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { volatileFiles } from '../../tests/support/virtual/volatile-files.ts';
import { parseRecording, readRecordings } from './recordings.ts';

const WHOLE =
  'open_time,open,high,low,close,volume,close_time,quote_volume,trades,taker_buy_base,taker_buy_quote,ignore\n' +
  '1672531200000,16541.77000000,16545.70000000,16508.39000000,16529.67000000,4364.83570000,' +
  '1672534799999,72146293.58672290,149854,2179.94772000,36032352.87035720,0\n';
const SIX =
  'open_time,open,high,low,close,volume\n' +
  '1619222400000,1.15872,1.1594,1.158,1.15829,239994.2\n' +
  '1619222460000,1.15829,1.15829,1.15829,1.15829,0.0\n';

test('a kline is served digit for digit as recorded', () => {
  const recording = parseRecording(WHOLE, { name: 'BTCUSDT-2023.csv.gz', interval: '1h' });
  expect(recording).toMatchObject({ columns: 'all', symbol: 'BTC/USDT', venueSymbol: 'BTCUSDT' });
  expect(recording?.rows).toEqual([
    [
      1672531200000,
      '16541.77000000',
      '16545.70000000',
      '16508.39000000',
      '16529.67000000',
      '4364.83570000',
      1672534799999,
      '72146293.58672290',
      149854,
      '2179.94772000',
      '36032352.87035720',
      '0',
    ],
  ]);
});

test('six recorded columns become a kline whose other columns are marked as unknown', () => {
  const recording = parseRecording(SIX, { name: 'ADAUSDT.csv.gz', interval: '1m' });
  expect(recording?.columns).toBe('first-six');
  expect(recording?.rows.map((row) => [row[6], row[8]])).toEqual([
    [1619222459999, 1],
    [1619222519999, 0],
  ]);
  expect(Number(recording?.rows[0]?.[7])).toBeCloseTo(239994.2 * 1.15829, 6);
});

test('coinbase recordings have seconds and the low first', () => {
  const recording = parseRecording(
    'time,low,high,open,close,volume\n1727740800,63136.74,63472,63305.52,63182.7,117.2815686\n',
    {
      name: 'BTC-USD-2024-10-01_2025-03-31.csv.gz',
      interval: '15m',
    },
  );
  expect(recording).toMatchObject({ symbol: 'BTC/USD', venueSymbol: 'BTC-USD', columns: 'first-six' });
  expect(recording?.rows[0]?.slice(0, 6)).toEqual([
    1727740800000,
    '63305.52',
    '63472',
    '63136.74',
    '63182.7',
    '117.2815686',
  ]);
});

test('okx recordings have the newest first; unconfirmed rows are dropped', () => {
  const csv =
    'ts,o,h,l,c,vol,volCcy,volCcyQuote,confirm\n' +
    '1717243020000,2,2,2,2,1,2,2,0\n' +
    '1717242960000,3,4,2,3,5,15,15,1\n' +
    '1717242900000,2,3,1,2,4,8,8,1\n';
  const recording = parseRecording(csv, { name: 'ETH-USDT.csv.gz', interval: '1m' });
  expect(recording).toMatchObject({ symbol: 'ETH/USDT', venueSymbol: 'ETH-USDT', columns: 'quote-volume' });
  expect(recording?.rows.map((row) => [row[0], row[4], row[7]])).toEqual([
    [1717242900000, '2', '8'],
    [1717242960000, '3', '15'],
  ]);
});

test('a row that is no candle, or has another time unit, is rejected', () => {
  expect(() => parseRecording('open_time,open\nyesterday,1\n', { name: 'BTCUSDT.csv.gz', interval: '1h' })).toThrow(
    'no candle',
  );
  expect(() =>
    parseRecording(SIX.replaceAll('1619222', '1619222000'), { name: 'BTCUSDT.csv.gz', interval: '1h' }),
  ).toThrow('no candle');
});

test('parts of a series are joined, folders of every spelling are read, and other files are skipped and listed', () => {
  const files = volatileFiles();
  files.write('/recordings/1m/ADAUSDT-a.csv.gz', gzipSync(SIX));
  files.write('/recordings/1m/ADAUSDT-b.csv.gz', gzipSync(SIX.replace('1619222400000', '1619222340000')));
  files.write('/recordings/1m/NOTES.txt', Buffer.from('text'));
  files.write('/recordings/1H/BTCUSDT.csv.gz', gzipSync(WHOLE));
  files.write('/recordings/2h/BTCUSDT-c.csv.gz', gzipSync(WHOLE));
  files.write('/recordings/1D-utc8/BTC-USDT.csv.gz', gzipSync(WHOLE));
  const { world, skipped: passedOver } = readRecordings(files, '/recordings');
  const times = world.series.map(
    (series) => `${series.venueSymbol} ${series.interval}: ${series.rows.map((row) => row[0]).join(' ')}`,
  );
  expect(times.toSorted()).toEqual([
    'ADAUSDT 1m: 1619222340000 1619222400000 1619222460000',
    'BTCUSDT 1h: 1672531200000',
  ]);
  expect(passedOver.toSorted()).toEqual(['/recordings/1D-utc8', '/recordings/1m/NOTES.txt', '/recordings/2h']);
});

test('longer intervals are aggregated from the shortest recorded one, shorter ones are unknown', () => {
  const files = volatileFiles();
  files.write('/recordings/1m/ADAUSDT.csv.gz', gzipSync(SIX));
  const { world } = readRecordings(files, '/recordings');
  const summed = world.find('ADAUSDT', '5m');
  expect(summed?.rows).toEqual([
    [
      1619222400000,
      '1.15872',
      '1.1594',
      '1.158',
      '1.15829',
      '239994.20000000',
      1619222699999,
      (239994.2 * 1.15829).toFixed(8),
      1,
      '0',
      '0',
      '0',
    ],
  ]);
  expect([world.find('ADAUSDT', '1d')?.rows.length, world.find('BTCUSDT', '1d')]).toEqual([1, null]);
  expect(world.series.map(({ interval }) => interval)).toEqual(['1m']);
});
