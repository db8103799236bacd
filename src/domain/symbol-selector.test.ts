import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { choiceText, chosenOf, parseMarketChoice, type OpenChoice, type RankedMarket } from './symbol-selector.ts';

const asset = fc.stringMatching(/^[A-Z0-9]{2,6}$/);
const quote = fc.constantFrom('USDT', 'USDC', 'USD', 'EUR');
const anyMarkets = fc.uniqueArray(
  fc.record({ symbol: fc.tuple(asset, quote).map((pair) => pair.join('/')), quoteVolume: fc.option(fc.nat(50)) }),
  { selector: ({ symbol }) => symbol, maxLength: 40 },
);
const anyChoice: fc.Arbitrary<OpenChoice> = fc.oneof(
  fc.record({
    kind: fc.constant('pattern' as const),
    base: fc.constantFrom('*', 'B*', '*C'),
    quote: fc.oneof(quote, fc.constant('*')),
  }),
  fc.record({ kind: fc.constant('top' as const), count: fc.integer({ min: 1, max: 10 }), quote }),
);
const symbolsOf = (text: string, markets: readonly RankedMarket[]) =>
  chosenOf(parseMarketChoice(text) as OpenChoice, markets);
const market = (symbol: string, quoteVolume: number | null = null): RankedMarket => ({ symbol, quoteVolume });

test('the canonical spelling of a choice leads back to it', () => {
  fc.assert(
    fc.property(anyChoice, (choice) => {
      expect(parseMarketChoice(choiceText(choice).toLowerCase())).toEqual(choice);
    }),
  );
});

test('a star stands for any part of one currency, and never reaches into the other', () => {
  const markets = ['BTC/USDT', '1000SATS/USDT', '1000CAT/USDC', 'USDT/USD', 'BTC/USD'].map((symbol) => market(symbol));
  expect(symbolsOf('*/USDT', markets)).toEqual(['1000SATS/USDT', 'BTC/USDT']);
  expect(symbolsOf('1000*/*', markets)).toEqual(['1000CAT/USDC', '1000SATS/USDT']);
  expect(symbolsOf('*/USD', markets)).toEqual(['BTC/USD', 'USDT/USD']);
});

test('a ranking is of one quote currency, by volume, ties by name, unknown volumes last', () => {
  const markets = [
    market('A/USDT', 5),
    market('B/USD', 900),
    market('D/USDT', 7),
    market('C/USDT', 7),
    market('E/USDT'),
  ];
  expect(symbolsOf('top:3', markets)).toEqual(['C/USDT', 'D/USDT', 'A/USDT']);
  expect(symbolsOf('top:9', markets)).toEqual(['C/USDT', 'D/USDT', 'A/USDT', 'E/USDT']);
  expect(symbolsOf('top:1:USD', markets)).toEqual(['B/USD']);
});

test('chosen symbols are distinct ones of the venue, and none left out of a ranking trades more', () => {
  fc.assert(
    fc.property(anyChoice, anyMarkets, (choice, markets) => {
      const chosen = chosenOf(choice, markets);
      const volumes = new Map(markets.map(({ symbol, quoteVolume }) => [symbol, quoteVolume ?? 0]));
      expect(new Set(chosen).size).toBe(chosen.length);
      expect(chosen.every((symbol) => volumes.has(symbol))).toBe(true);
      if (choice.kind === 'pattern') return;
      const outside = [...volumes].filter(
        ([symbol]) => symbol.endsWith(`/${choice.quote}`) && !chosen.includes(symbol),
      );
      expect(chosen.length === choice.count || outside.length === 0).toBe(true);
      for (const [, volume] of outside)
        expect(volume).toBeLessThanOrEqual(Math.min(...chosen.map((symbol) => volumes.get(symbol) ?? 0)));
    }),
  );
});
