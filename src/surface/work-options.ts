import type { Exchange } from '../market/exchange.ts';
import type { Interval } from '../market/interval.ts';
import { dayOf, isDay, type Day } from '../market/partition.ts';
import { type MarketSymbol } from '../market/symbol.ts';
import { ConfigurationError } from '../faults/taxonomy/errors.ts';
import { ADAPTERS } from '../data/exchanges/registry.ts';
import type { DayRange } from '../engine/chunks.ts';
import { GOLD_ASSET, SILVER_ASSET } from '../engine/run-verdict.ts';
import type { Settings } from '../engine/settings.ts';
import { ASSET_KINDS, type AssetKind } from '../engine/work.ts';
import { nearest } from './nearest.ts';
import { readExchanges, readIntervals, readSymbols } from './setting-values.ts';

/** Flags that narrow what a command works on. */
export interface ScopeOptions {
  readonly asset?: string;
  readonly exchange?: string;
  readonly symbol?: string;
  readonly interval?: string;
}

export interface Scope {
  readonly markets: ReadonlyMap<Exchange, readonly MarketSymbol[]>;
  readonly intervals: readonly Interval[];
  readonly assets: readonly AssetKind[];
}

/** What the flags leave of the configuration. Symbols named by flag need not be configured. @throws ConfigurationError (CONFIG_INVALID). */
export function scopeOf(settings: Settings, options: ScopeOptions): Scope {
  const assets = options.asset === undefined ? null : options.asset.split(',').map((name) => readAsset(name.trim()));
  const byFlag = options.exchange === undefined ? null : readExchanges(options.exchange, '--exchange');
  const byAsset = assets?.flatMap((asset) => (asset.exchange === null ? [] : [asset.exchange])) ?? [];
  const exchanges = byFlag ?? (byAsset.length > 0 ? byAsset : [...settings.markets.keys()]);
  const symbols = options.symbol === undefined ? null : readSymbols(options.symbol, '--symbol');
  const markets = exchanges.map((exchange): [Exchange, readonly MarketSymbol[]] => [
    exchange,
    symbols === null ? (settings.markets.get(exchange) ?? []) : [...new Set(symbols.filter((choice) => choice.exchange === null || choice.exchange === exchange).map((choice) => choice.symbol))],
  ]);
  const kinds: AssetKind[] = assets === null ? ['bronze', 'silver', ...(settings.hub === null ? [] : ['gold' as const])] : [...new Set(assets.map((asset) => asset.kind))];
  if (kinds.includes('gold') && settings.hub === null) throw new ConfigurationError({ where: '--asset', expected: 'CANDLEKEEP_HF_REPO and HF_TOKEN for gold', got: 'no repository' });
  return {
    markets: new Map(markets.filter(([, own]) => own.length > 0)),
    intervals: options.interval === undefined ? settings.intervals : readIntervals(options.interval, '--interval'),
    assets: kinds,
  };
}

const EXCHANGES = [...ADAPTERS.keys()];
const ASSET_NAMES = [...EXCHANGES.map((exchange) => `bronze_${exchange}_ohlcv`), SILVER_ASSET, GOLD_ASSET];

function readAsset(name: string): { readonly kind: AssetKind; readonly exchange: Exchange | null } {
  const kind = ASSET_KINDS.find((one) => one === name || (ASSET_NAMES.includes(name) && name.startsWith(one)));
  if (kind === undefined) throw new ConfigurationError({ where: '--asset', expected: [...ASSET_KINDS, ...ASSET_NAMES].join(', '), got: `"${name}"`, nearest: nearest(name, ASSET_NAMES) });
  return { kind, exchange: EXCHANGES.find((exchange) => name === `bronze_${exchange}_ohlcv`) ?? null };
}

/** A UTC date that is not in the future. @throws ConfigurationError (CONFIG_INVALID). */
export function readDay(text: string, where: string, nowMs: number): Day {
  if (!isDay(text)) throw new ConfigurationError({ where, expected: 'a UTC date such as 2024-06-01', got: `"${text}"` });
  if (text > dayOf(nowMs)) throw new ConfigurationError({ where, expected: `a day that is not in the future (today is ${dayOf(nowMs)} UTC)`, got: text });
  return text;
}

/** Both ends inclusive. @throws ConfigurationError (CONFIG_INVALID) when the end lies before the start. */
export function readDays(start: string, end: string, nowMs: number, flags: readonly [start: string, end: string] = ['--start', '--end']): DayRange {
  const range = { start: readDay(start, flags[0], nowMs), end: readDay(end, flags[1], nowMs) };
  if (range.end < range.start) throw new ConfigurationError({ where: flags[1], expected: `a day on or after ${flags[0]} ${range.start}`, got: range.end });
  return range;
}
