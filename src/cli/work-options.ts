import type { Exchange } from '../domain/exchange.ts';
import type { Interval } from '../domain/interval.ts';
import { dayOf, type Day } from '../domain/partition.ts';
import { ConfigurationError } from '../errors/errors.ts';
import type { DayRange } from '../engine/core/chunks.ts';
import { exchangeOfAsset } from '../domain/assets.ts';
import type { MarketChoices } from '../engine/core/symbol-resolution.ts';
import { ASSET_KINDS, type AssetKind } from '../domain/assets.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { nearest } from '../configuration/nearest.ts';
import { ASSET_NAMES, readDate, readExchanges, readIntervals, readMarkets } from '../configuration/setting-values.ts';
import { choicesByVenue, requireCandles } from '../configuration/exchange-choices.ts';

/** Flags that narrow what a command works on. */
export interface ScopeOptions {
  readonly asset?: string;
  readonly exchange?: string;
  readonly symbol?: string;
  readonly interval?: string;
}

export interface CommandScope {
  readonly choices: MarketChoices;
  readonly intervals: readonly Interval[];
  readonly assets: readonly AssetKind[];
}

/**
 * The configuration narrowed by the flags. Markets named by a flag need not be configured.
 * @throws ConfigurationError (CONFIG_INVALID).
 */
export function scopeOf({ settings, choices }: Configuration, options: ScopeOptions): CommandScope {
  const assets = options.asset === undefined ? null : options.asset.split(',').map((name) => readAsset(name.trim()));
  const kinds: AssetKind[] =
    assets === null
      ? ['bronze', 'silver', ...(settings.hub === null ? [] : ['gold' as const])]
      : [...new Set(assets.map((asset) => asset.kind))];
  if (kinds.includes('gold') && settings.hub === null)
    throw new ConfigurationError({
      where: '--asset',
      expected: 'CANDLEKEEP_HF_REPO and HF_TOKEN for gold',
      got: 'no repository',
    });
  const left = choicesLeft(
    choices,
    options,
    assets?.flatMap((asset) => (asset.exchange === null ? [] : [asset.exchange])) ?? [],
  );
  const intervals = options.interval === undefined ? settings.intervals : readIntervals(options.interval, '--interval');
  requireCandles([...left.keys()], intervals, options.interval === undefined ? 'interval' : '--interval');
  return { choices: left, intervals, assets: kinds };
}

function choicesLeft(configured: MarketChoices, options: ScopeOptions, byAsset: readonly Exchange[]): MarketChoices {
  const byFlag = options.exchange === undefined ? null : readExchanges(options.exchange, '--exchange');
  const exchanges = byFlag ?? (byAsset.length > 0 ? byAsset : null);
  if (options.symbol !== undefined) {
    const named = readMarkets(options.symbol, '--symbol');
    return choicesByVenue(
      exchanges ?? [...new Set([...configured.keys(), ...named.flatMap(({ exchange }) => exchange ?? [])])],
      named,
      '--symbol',
    );
  }
  if (exchanges === null) return configured;
  const left = new Map([...configured].filter(([exchange]) => exchanges.includes(exchange)));
  if (left.size === 0)
    throw new ConfigurationError({
      where: byFlag === null ? '--asset' : '--exchange',
      expected: 'an exchange with configured symbols, or --symbol beside it',
      got: exchanges.join(', '),
    });
  return left;
}

function readAsset(name: string): { readonly kind: AssetKind; readonly exchange: Exchange | null } {
  const kind = ASSET_KINDS.find((one) => one === name || (ASSET_NAMES.includes(name) && name.startsWith(one)));
  if (kind === undefined)
    throw new ConfigurationError({
      where: '--asset',
      expected: [...ASSET_KINDS, ...ASSET_NAMES].join(', '),
      got: `"${name}"`,
      nearest: nearest(name, ASSET_NAMES),
    });
  return { kind, exchange: exchangeOfAsset(name) };
}

/** A UTC date that is not in the future. @throws ConfigurationError (CONFIG_INVALID). */
export function readDay(text: string, where: string, nowMs: number): Day {
  const day = readDate(text, where);
  if (day > dayOf(nowMs))
    throw new ConfigurationError({
      where,
      expected: `a day that is not in the future (today is ${dayOf(nowMs)} UTC)`,
      got: day,
    });
  return day;
}

/** Both ends inclusive. @throws ConfigurationError (CONFIG_INVALID) when the end lies before the start. */
export function readDays(
  start: string,
  end: string,
  nowMs: number,
  flags: readonly [start: string, end: string] = ['--start', '--end'],
): DayRange {
  const range = { start: readDay(start, flags[0], nowMs), end: readDay(end, flags[1], nowMs) };
  if (range.end < range.start)
    throw new ConfigurationError({
      where: flags[1],
      expected: `a day on or after ${flags[0]} ${range.start}`,
      got: range.end,
    });
  return range;
}

/** A whole number from 1 to `max`. @throws ConfigurationError (CONFIG_INVALID). */
export function readWhole(text: string, where: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new ConfigurationError({ where, expected: `a whole number from 1 to ${max}`, got: `"${text}"` });
}
