import { randomInt, seededRandom } from '../platform/seeded-random.ts';
import { intervalMs } from '../domain/interval.ts';
import type { TimeRange } from '../domain/range.ts';
import { worldOf, type CandleSource, type SeriesPart, type World } from './world.ts';
import type { ServedSeries, RecordedCandle } from './recorded-series.ts';

/** A series of generated candles. `range` is on the grid of its interval. */
export interface GeneratedMarket extends ServedSeries {
  readonly range: TimeRange;
  /** Candles without a trade per thousand: flat rows, which some venues send and others omit. Default 20. */
  readonly quietPerMille?: number;
}

const QUIET_PER_MILLE = 20;

/** Generated candles, for when the recordings are not enough. The same seed gives the same candles. */
export function generatedWorld(seed: string, markets: readonly GeneratedMarket[]): World {
  const { select } = generatedCandles(seed, markets);
  return worldOf(
    markets.map((market) => ({
      ...market,
      columns: 'all',
      rows: select(market, { ...market.range, rowsMax: Infinity, keep: 'oldest' }),
    })),
  );
}

/** The same candles, generated on request: years of minutes take no memory. */
export function generatedCandles(seed: string, markets: readonly GeneratedMarket[]): CandleSource {
  const makers = new Map(markets.map((market) => [`${market.venueSymbol} ${market.interval}`, rowMaker(seed, market)]));
  return {
    series: markets,
    select: ({ venueSymbol, interval }, part) => makers.get(`${venueSymbol} ${interval}`)?.(part) ?? [],
  };
}

function rowMaker(seed: string, market: GeneratedMarket): (part: SeriesPart) => RecordedCandle[] {
  const random = seededRandom(`${seed}/${market.venueSymbol}/${market.interval}`);
  const made: Made = {
    key: randomInt(random, 2 ** 32),
    baseCents: 100_000 + randomInt(random, 6_000_000),
    stepMs: intervalMs(market.interval),
    quietShare: (market.quietPerMille ?? QUIET_PER_MILLE) / 1_000,
  };
  return ({ fromMs, toMs, rowsMax, keep }) => {
    let from = Math.ceil(Math.max(fromMs, market.range.fromMs) / made.stepMs);
    let to = Math.ceil(Math.min(toMs, market.range.toMs) / made.stepMs);
    if (keep === 'oldest') to = Math.min(to, from + rowsMax);
    else from = Math.max(from, to - rowsMax);
    return Array.from({ length: Math.max(0, to - from) }, (_, at) => rowAt(made, from + at));
  };
}

interface Made {
  readonly key: number;
  readonly baseCents: number;
  readonly stepMs: number;
  readonly quietShare: number;
}

/** Steps between two price levels and the largest change between them, as a share: hours, days and weeks of minutes. */
const WAVES = [
  { steps: 64, share: 0.005 },
  { steps: 2_048, share: 0.05 },
  { steps: 32_768, share: 0.25 },
] as const;
const NOISE_SHARE = 0.0005;
const VOLUME_MAX = 20;
const VOLUME_DIGITS = 8;

/** Index of each random draw of one candle. */
const DRAW = { noise: 0, quiet: 1, high: 2, low: 3, volume: 4, trades: 5, wave: 6 } as const;

function rowAt(made: Made, step: number): RecordedCandle {
  const openTimeMs = step * made.stepMs;
  const closeTimeMs = openTimeMs + made.stepMs - 1;
  const open = centsAt(made, step);
  if (draw(made.key, step, DRAW.quiet) < made.quietShare) {
    const flat = decimal(open, 2);
    return [openTimeMs, flat, flat, flat, flat, '0.00000000', closeTimeMs, '0.00000000', 0, '0', '0', '0'];
  }
  const close = centsAt(made, step + 1);
  const wick = (which: number): number => 1 + Math.floor(draw(made.key, step, which) * open * NOISE_SHARE);
  const volume = 1 + Math.floor(draw(made.key, step, DRAW.volume) * VOLUME_MAX * 10 ** VOLUME_DIGITS);
  const quoteVolume = Math.round((volume * ((open + close) / 2)) / 100);
  return [
    openTimeMs,
    decimal(open, 2),
    decimal(Math.max(open, close) + wick(DRAW.high), 2),
    decimal(Math.min(open, close) - wick(DRAW.low), 2),
    decimal(close, 2),
    decimal(volume, VOLUME_DIGITS),
    closeTimeMs,
    decimal(quoteVolume, VOLUME_DIGITS),
    1 + Math.floor(draw(made.key, step, DRAW.trades) * 900),
    '0',
    '0',
    '0',
  ];
}

/** The price at which candle `step` opens and the previous one closes. */
function centsAt({ key, baseCents }: Made, step: number): number {
  let share = NOISE_SHARE * draw(key, step, DRAW.noise);
  for (const [at, { steps, share: height }] of WAVES.entries()) {
    const wave = Math.floor(step / steps);
    const [before, after] = [draw(key, wave, DRAW.wave + at), draw(key, wave + 1, DRAW.wave + at)];
    share += height * (before + (after - before) * (step / steps - wave));
  }
  return Math.round(baseCents * (1 + share));
}

/**
 * A number in [0, 1) that depends only on its position, so that any row can be generated without the rows before it.
 */
function draw(key: number, step: number, which: number): number {
  let hash = key ^ Math.imul(step, 0x9e3779b1) ^ Math.imul(which + 1, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}

/** `decimal(123456, 2)` is `1234.56`. */
function decimal(units: number, digits: number): string {
  const text = String(units).padStart(digits + 1, '0');
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
