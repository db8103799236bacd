import { DAY_MS } from '../../src/domain/interval.ts';
import type { Exchange } from '../../src/domain/exchange.ts';
import type { Interval } from '../../src/domain/interval.ts';
import type { TimeRange } from '../../src/domain/range.ts';
import { generatedWorld } from '../../src/simulation/generated-world.ts';
import { STAND_INS, type StandIn } from '../../src/simulation/stand-ins/stand-ins.ts';
import { asServed } from '../support/served-series.ts';
import type { World } from '../../src/simulation/world.ts';
import type { RecordedSeries } from '../../src/simulation/recorded-series.ts';

export const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'];
/** Minutes, so that candles become due during the soak, and hours, aggregated from the same minutes. */
export const INTERVALS: readonly Interval[] = ['1m', '1h'];

/** Days before today that a user may backfill. */
export const HISTORY_DAYS = 14;

/** History, today, and tomorrow in case the soak crosses midnight. */
export function rangeAround(nowMs: number): TimeRange {
  const todayMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
  return { fromMs: todayMs - HISTORY_DAYS * DAY_MS, toMs: todayMs + 2 * DAY_MS };
}

/** The candles of one exchange; the same in every process for the same seed and range. */
export function worldAt(exchange: Exchange, seed: string, range: TimeRange): World {
  const separator = exchange === 'binance' ? '' : '-';
  return generatedWorld(
    `${seed}/${exchange}`,
    SYMBOLS.map((symbol) => ({ symbol, venueSymbol: symbol.replace('/', separator), interval: '1m', range })),
  );
}

export interface TrueSeries {
  readonly exchange: Exchange;
  readonly interval: Interval;
  readonly served: RecordedSeries;
}

/** Each series as its exchange serves it. */
export const truthOf = (seed: string, range: TimeRange): TrueSeries[] =>
  [...STAND_INS].flatMap(([exchange, standIn]) => {
    const world = worldAt(exchange, seed, range);
    return world.series.flatMap(({ venueSymbol }) =>
      INTERVALS.flatMap((interval) => seriesOf(world, standIn, { exchange, venueSymbol, interval })),
    );
  });

function seriesOf(
  world: World,
  standIn: StandIn,
  {
    exchange,
    venueSymbol,
    interval,
  }: { readonly exchange: Exchange; readonly venueSymbol: string; readonly interval: Interval },
): TrueSeries[] {
  const series = world.find(venueSymbol, interval);
  return series === null ? [] : [{ exchange, interval, served: asServed(standIn, series) }];
}
