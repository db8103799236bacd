import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConfigurationError } from '../errors/errors.ts';
import {
  readAddress,
  readAddresses,
  readChannels,
  readInstance,
  readListen,
  readSecret,
  readSmtpUrl,
  readTags,
  readUrl,
} from './alert-values.ts';
import {
  readAssetNames,
  readDuration,
  readExchanges,
  readFlag,
  readIntervals,
  readLogLevel,
  readOrigin,
  readProxy,
  readMarkets,
  readRepo,
  readShare,
  readSymbol,
  readText,
} from './setting-values.ts';

test('any amount above zero with a unit is a duration of that length', () => {
  const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
  const unit = fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[]));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999_999 }), unit, fc.constantFrom('', ' '), (amount, name, space) => {
      expect(readDuration(`${space}${amount}${name}${space}`, 'deadline')).toBe(amount * units[name]);
    }),
  );
  expect(readDuration('1.5s', 'deadline')).toBe(1_500);
});

test.each(['', '0s', '0.0h', '-1s', '5', '5 m', '5d', '1e3s', 'Infinityms', '9999999999s', '5m5s'])(
  '%j is no duration',
  (text) => {
    expect(() => readDuration(text, 'deadline')).toThrow(ConfigurationError);
  },
);

const READERS = {
  readAddress,
  readAddresses,
  readAssetNames,
  readChannels,
  readFlag,
  readInstance,
  readListen,
  readSecret,
  readSmtpUrl,
  readTags,
  readUrl,
  readDuration,
  readExchanges,
  readIntervals,
  readLogLevel,
  readOrigin,
  readMarkets,
  readRepo,
  readShare,
  readSymbol,
  readText,
};

test.each(Object.entries(READERS))('%s accepts a value or refuses it by name, and never crashes', (_, read) => {
  const strange = fc.oneof(
    fc.anything({ withBigInt: true, withNullPrototype: true, withDate: true, withMap: true, withSparseArray: true }),
    fc.string({ unit: 'binary' }),
    fc.constant({ toString: 1 }),
  );
  fc.assert(
    fc.property(strange, (raw) => {
      try {
        read(raw, 'the-place');
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigurationError);
        expect((error as ConfigurationError).facts.where).toMatch(/^the-place/);
      }
    }),
  );
});

test('anything but a duration is refused', () => {
  fc.assert(
    fc.property(
      fc
        .anything({ withBigInt: true })
        .filter((raw) => typeof raw !== 'string' || !/^\s*[\d.]+(ms|s|m|h)\s*$/.test(raw)),
      (raw) => {
        expect(() => readDuration(raw, 'deadline')).toThrow(ConfigurationError);
      },
    ),
  );
});

test('a share lies above 0 and is at most 1', () => {
  expect([1, '1', 0.001, ' 0.5 ', Number.MIN_VALUE].map((raw) => readShare(raw, 'rateShare'))).toEqual([
    1,
    1,
    0.001,
    0.5,
    Number.MIN_VALUE,
  ]);
  for (const raw of [0, -0, -0.1, 1.000_001, 90, Number.NaN, Infinity, '', ' ', 'half', '50%', null, [0.5], true])
    expect(() => readShare(raw, 'rateShare')).toThrow('rateShare: expected a number above 0 and at most 1');
});

test.each([
  'https://api.test/api',
  'https://api.test/?a=1',
  'https://api.test/#a',
  'https://me@api.test',
  'ftp://api.test',
  'api.test',
  'api.test:443',
  '//api.test',
  '',
])('%j is no origin', (text) => {
  expect(() => readOrigin(text, 'CANDLEKEEP_BINANCE_URL')).toThrow(/^CANDLEKEEP_BINANCE_URL: expected an origin/);
});

test('a proxy is an http(s) URL, or host:port', () => {
  const read = (text: string): string => readProxy(text, 'HTTPS_PROXY');
  expect(read(' http://me:word@proxy.test:3128 ')).toBe('http://me:word@proxy.test:3128');
  expect(['proxy.test:3128', '127.0.0.1:1'].map(read)).toEqual(['http://proxy.test:3128', 'http://127.0.0.1:1']);
  for (const text of [':::bad', 'http://', 'ftp://me:word@x:1', 'proxy.test', 'me:word@proxy.test:1', ''])
    expect(() => read(text)).toThrow('HTTPS_PROXY: expected a proxy such as http://proxy.example:3128, got "something');
});

test('a trailing slash after an origin is accepted', () => {
  expect(
    ['https://api.test/', ' http://127.0.0.1:8080 ', 'HTTPS://API.test:443'].map((text) =>
      readOrigin(text, 'hfEndpoint'),
    ),
  ).toEqual(['https://api.test', 'http://127.0.0.1:8080', 'https://api.test']);
});
