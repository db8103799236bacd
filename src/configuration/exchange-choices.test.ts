import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { choiceText } from '../domain/symbol-selector.ts';
import { EXCHANGES } from '../exchanges/registry.ts';
import { readMarkets, readSymbol } from './setting-values.ts';
import { load, refusal } from '../../tests/support/command-line/configuration-harness.ts';

test('all spellings of a symbol are one symbol', async () => {
  const pair = fc.tuple(
    fc.constantFrom('BTC', 'ETH', 'DOGE', '1INCH', 'W', 'FDUSD'),
    fc.constantFrom('USDT', 'USDC', 'EUR', 'TRY'),
  );
  fc.assert(
    fc.property(pair, fc.mixedCase(fc.constant('binance')), ([base, quote], exchange) => {
      const spellings = ['/', '-', ''].flatMap((sign) => [
        `${base}${sign}${quote}`,
        `${base}${sign}${quote}`.toLowerCase(),
      ]);
      const written = [...spellings, ...spellings.map((one) => `${exchange}: ${one}`)].join(' , ');
      expect(new Set(readMarkets(written, 'symbols').map(({ choice }) => choiceText(choice)))).toEqual(
        new Set([`${base}/${quote}`]),
      );
    }),
  );
  const { settings } = await load({ flags: { symbols: 'btcusdt,ETH-USDT,BTC/USDT,binance:BTC-USDT' } });
  expect(settings.markets.get('binance')).toEqual(['BTC/USDT', 'ETH/USDT']);
});

test('a symbol with an exchange prefix belongs to that exchange only', async () => {
  const exchanges = [...EXCHANGES.keys()];
  const { settings } = await load({ flags: { exchanges: exchanges.join(','), symbols: 'binance:BTC/USDT,ETH/USDT' } });
  expect([...settings.markets]).toEqual(
    exchanges.map((exchange) => [exchange, exchange === 'binance' ? ['BTC/USDT', 'ETH/USDT'] : ['ETH/USDT']]),
  );
  expect(readMarkets('binance:BTC/USDT,ETH/USDT', 'symbols').map(({ exchange }) => exchange)).toEqual([
    'binance',
    null,
  ]);
});

test.each([
  'BTC',
  'BTC/USDT/X',
  'BTC USDT',
  'krakn:BTC/USDT',
  ':',
  ',',
  '../../etc',
  'top:',
  'top:0',
  'top:1001',
  'top:ten',
  'binance:',
  '*',
  '*USDT',
  '*/',
  'a:b:*/USDT',
  'binance:binance:top:5',
])('%j names no market', (text) => {
  expect(() => readMarkets(text, '--symbol')).toThrow(/^--symbol: expected /);
});

test.each([
  ['*/usdt', null, '*/USDT'],
  ['binance:*-USDT', 'binance', '*/USDT'],
  ['BTC/*', null, 'BTC/*'],
  ['TOP:50', null, 'top:50:USDT'],
  ['okx:top:20:usdc', 'okx', 'top:20:USDC'],
  ['Binance:top:5', 'binance', 'top:5:USDT'],
])('%s is a choice that is resolved with the symbol list', (text, exchange, choice) => {
  expect(readMarkets(text, 'symbols').map((one) => [one.exchange, choiceText(one.choice)])).toEqual([
    [exchange, choice],
  ]);
});

test('where one symbol is expected, lists, patterns and rankings are refused', () => {
  expect(readSymbol('okx:btc-usdt', '<symbol>')).toEqual({ exchange: 'okx', symbol: 'BTC/USDT' });
  for (const text of ['BTC/USDT,ETH/USDT', '*/USDT', 'top:1'])
    expect(() => readSymbol(text, '<symbol>')).toThrow('<symbol>: expected one symbol');
});

test('patterns are choices, not symbols of the settings', async () => {
  const { settings, choices } = await load({
    flags: { exchanges: 'binance,okx', symbols: 'BTC/USDT,okx:top:3,*/EUR' },
  });
  expect([...settings.markets]).toEqual([
    ['binance', ['BTC/USDT']],
    ['okx', ['BTC/USDT']],
  ]);
  expect([...choices].map(([exchange, own]) => [exchange, own.map(choiceText)])).toEqual([
    ['binance', ['BTC/USDT', '*/EUR']],
    ['okx', ['BTC/USDT', 'top:3:USDT', '*/EUR']],
  ]);
});

test('a ranking is refused at an exchange without quote volumes, with the names of those that have them', async () => {
  expect((await refusal({ flags: { exchanges: 'binance,coinbase', symbols: 'top:50' } })).message).toBe(
    '--symbols: expected top:N at an exchange that states volumes in quote currency (binance, okx), ' +
      'got top:50:USDT at coinbase',
  );
  expect((await refusal({ flags: { exchanges: 'coinbase', symbols: 'coinbase:top:20' } })).message).toContain(
    'got top:20:USDT at coinbase',
  );
});

test('symbols of an unconfigured exchange give a warning, and an error when no other symbol is left', async () => {
  const { warnings } = await load({ flags: { symbols: 'BTC/USDT,coinbase:BTC/USD' } });
  expect(warnings).toEqual([
    'coinbase:BTC/USD is left out: coinbase is not among the configured exchanges (CANDLEKEEP_EXCHANGES)',
  ]);
  expect((await refusal({ env: { CANDLEKEEP_SYMBOLS: 'coinbase:BTC/USD' } })).message).toBe(
    'CANDLEKEEP_SYMBOLS: expected symbols of binance, got coinbase:BTC/USD',
  );
});

test('an interval that an exchange does not have gives a warning, and an error when no series is left', async () => {
  const both = await load({ env: { CANDLEKEEP_EXCHANGES: 'binance,coinbase', CANDLEKEEP_INTERVAL: '4h' } });
  expect(both.warnings).toEqual(['coinbase has no 4h candles; those series are left out']);
  await expect(load({ env: { CANDLEKEEP_EXCHANGES: 'coinbase', CANDLEKEEP_INTERVAL: '4h' } })).rejects.toThrow(
    /4h at coinbase/,
  );
});
