import { INTERVALS } from '../domain/interval.ts';
import type { TimeRange } from '../domain/range.ts';
import { generatedWorld } from './generated-world.ts';
import { worldOf, type World } from './world.ts';

/**
 * The world with generated candles of `range` added for every market and interval, so that a command finds the last
 * days. Every candle has trades, and the intervals are consistent with each other.
 */
export function withRecentCandles(world: World, range: TimeRange): World {
  const markets = [...new Map(world.series.map(({ symbol, venueSymbol }) => [venueSymbol, symbol]))].map(
    ([venueSymbol, symbol]) => ({ symbol, venueSymbol }),
  );
  const recent = generatedWorld(
    'recent',
    markets.map((market) => ({ ...market, interval: '1m', range, quietPerMille: 0 })),
  );
  const find = ({ venueSymbol }: { readonly venueSymbol: string }) =>
    INTERVALS.flatMap((interval) => [world, recent].flatMap((part) => part.find(venueSymbol, interval) ?? []));
  return worldOf(markets.flatMap(find));
}
