import { randomInt, seededRandom, type Random } from '../kernel/random.ts';
import { intervalMs, type Interval } from '../market/interval.ts';
import { gridOf, type TimeRange } from '../market/range.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import { worldOf, type TapeRow, type World } from './world.ts';

export interface GeneratedMarket {
  readonly symbol: MarketSymbol;
  readonly venueSymbol: string;
  readonly interval: Interval;
  readonly range: TimeRange;
  /** So many of a thousand candles have no trade: a flat row where the venue sends one, no row where it does not. 20 unless said. */
  readonly quietPerMille?: number;
}

const QUIET_PER_MILLE = 20;

/** Candles that were made up, for tests that need more than was recorded. The same seed gives the same candles. */
export function generatedWorld(seed: string, markets: readonly GeneratedMarket[]): World {
  return worldOf(markets.map((market) => ({
    symbol: market.symbol,
    venueSymbol: market.venueSymbol,
    interval: market.interval,
    columns: 'all',
    rows: walk(market, seededRandom(`${seed}/${market.venueSymbol}/${market.interval}`)),
  })));
}

function walk({ interval, range, quietPerMille = QUIET_PER_MILLE }: GeneratedMarket, random: Random): TapeRow[] {
  let price = 1_000 + randomInt(random, 60_000);
  return gridOf(range, interval).map((openTimeMs): TapeRow => {
    const closeTimeMs = openTimeMs + intervalMs(interval) - 1;
    const open = price;
    if (randomInt(random, 1_000) < quietPerMille) {
      const flat = open.toFixed(2);
      return [openTimeMs, flat, flat, flat, flat, '0.00000000', closeTimeMs, '0.00000000', 0, '0', '0', '0'];
    }
    price = Math.max(1, open * (1 + (random.next() - 0.5) / 100));
    const high = Math.max(open, price) * (1 + random.next() / 500);
    const low = Math.min(open, price) * (1 - random.next() / 500);
    const volume = 0.01 + random.next() * 20;
    const quoteVolume = volume * ((open + price) / 2);
    return [openTimeMs, open.toFixed(2), (high + 0.01).toFixed(2), (low - 0.01).toFixed(2), price.toFixed(2), volume.toFixed(8), closeTimeMs, quoteVolume.toFixed(8), 1 + randomInt(random, 900), '0', '0', '0'];
  });
}
