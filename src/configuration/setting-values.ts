import { inspect } from 'node:util';
import type { Exchange } from '../domain/exchange.ts';
import { INTERVALS, isInterval, type Interval } from '../domain/interval.ts';
import { isDay, type Day } from '../domain/partition.ts';
import { parseMarketChoice, type MarketChoice } from '../domain/symbol-selector.ts';
import type { MarketSymbol } from '../domain/symbol.ts';
import { bronzeAsset, GOLD_ASSET, SILVER_ASSET } from '../domain/assets.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { EXCHANGES } from '../exchanges/registry.ts';
import { isAddress, type Egress } from '../platform/network-settings.ts';
import { nearest } from './nearest.ts';

/**
 * Parses one configured value. `where` names the file and key, flag or variable.
 * @throws ConfigurationError (CONFIG_INVALID).
 */
export type ValueReader<T> = (raw: unknown, where: string) => T;

const quoted = (raw: unknown): string =>
  typeof raw === 'string' ? `"${raw}"` : inspect(raw, { breakLength: Infinity, depth: 1 });

export const refuse = (where: string, expected: string, raw: unknown, suggestion: string | null = null): never => {
  throw new ConfigurationError({ where, expected, got: quoted(raw), nearest: suggestion });
};

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const DURATION = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/;

/** `250ms`, `2s`, `5m`, `6h` -> milliseconds, more than zero. */
export const readDuration: ValueReader<number> = (raw, where) => {
  const [, amount, unit] = DURATION.exec(typeof raw === 'string' ? raw.trim() : '') ?? [];
  const durationMs = Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  return durationMs > 0 ? durationMs : refuse(where, 'a duration such as 250ms, 2s, 5m or 6h', raw);
};

/** A share of a limit, 0 < share <= 1. */
export const readShare: ValueReader<number> = (raw, where) => {
  const share = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw;
  return typeof share === 'number' && share > 0 && share <= 1
    ? share
    : refuse(where, 'a number above 0 and at most 1', raw);
};

export const readText: ValueReader<string> = (raw, where) =>
  typeof raw === 'string' && raw.trim() !== '' ? raw.trim() : refuse(where, 'text', raw);

/** An http(s) origin without path; a trailing slash is accepted. */
export const readOrigin: ValueReader<string> = (raw, where) => {
  const text = typeof raw === 'string' ? raw.trim() : '';
  const url = URL.canParse(text) ? new URL(text) : null;
  const isOrigin =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.pathname === '/' &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '' &&
    url.password === '';
  return isOrigin
    ? url.origin
    : refuse(
        where,
        'an origin such as https://api.binance.com, without path, user name or password',
        typeof raw === 'string' ? raw.replace(/\/\/.*@/s, '//********@') : raw,
      );
};

/** A proxy's URL; `host:port` means http. The value may hold a password and is never printed. */
export const readProxy: ValueReader<string> = (raw, where) => {
  const text = typeof raw === 'string' ? raw.trim() : '';
  const url = /^[\w.-]+:\d{1,5}$/.test(text) ? `http://${text}` : text;
  return isProxyUrl(url) ? url : refuse(where, 'a proxy such as http://proxy.example:3128', 'something else');
};

const isProxyUrl = (text: string): boolean => /^https?:$/.test(URL.canParse(text) ? new URL(text).protocol : '');

/** `home=http://proxy:3128` or `home=10.0.0.5`, or an object with `name` and `proxyUrl` or `localAddress`. */
export const readEgress: ValueReader<Egress> = (raw, where) => {
  const expected = 'name=PROXY_URL or name=LOCAL_ADDRESS';
  const [name, route] =
    typeof raw === 'string'
      ? splitOnce(raw, '=')
      : isFields(raw)
        ? [raw['name'], raw['proxyUrl'] ?? raw['localAddress']]
        : [];
  if (typeof name !== 'string' || !/^[\w-]{1,32}$/.test(name) || typeof route !== 'string')
    return refuse(where, expected, 'something else');
  if (isAddress(route)) return { name, localAddress: route };
  return isProxyUrl(route) ? { name, proxyUrl: route } : refuse(where, expected, 'neither a URL nor an address');
};

const splitOnce = (text: string, separator: string): readonly [string, string] => [
  text.slice(0, text.indexOf(separator)),
  text.slice(text.indexOf(separator) + 1),
];
export const isFields = (raw: unknown): raw is Readonly<Record<string, unknown>> =>
  typeof raw === 'object' && raw !== null && !Array.isArray(raw);

/** `owner/name` of a repository on the Hub. */
export const readRepo: ValueReader<string> = (raw, where) =>
  typeof raw === 'string' && /^[\w.-]+\/[\w.-]+$/.test(raw.trim())
    ? raw.trim()
    : refuse(where, 'a dataset repository such as owner/name', raw);

/** `true` or `false`, as text or boolean. */
export const readFlag: ValueReader<boolean> = (raw, where) =>
  raw === true || raw === 'true'
    ? true
    : raw === false || raw === 'false'
      ? false
      : refuse(where, 'true or false', raw);

/** The items of a comma list or an array. */
export const items = (raw: unknown, where: string): readonly string[] => {
  const list: unknown[] = Array.isArray(raw) ? raw : typeof raw === 'string' ? raw.split(',') : [];
  const texts = list.map((item) => (typeof item === 'string' ? item.trim() : '')).filter((item) => item !== '');
  return texts.length > 0 && texts.length === list.filter((item) => item !== '').length
    ? texts
    : refuse(where, 'a comma list or a list of texts', raw);
};

export const readExchanges: ValueReader<readonly Exchange[]> = (raw, where) => [
  ...new Set(items(raw, where).map((item) => readExchange(item, where))),
];

export const readExchange: ValueReader<Exchange> = (raw, where) => {
  const name = String(raw).toLowerCase();
  const known = [...EXCHANGES.keys()];
  return known.includes(name) ? name : refuse(where, `one of ${known.join(', ')}`, raw, nearest(name, known));
};

export const readIntervals: ValueReader<readonly Interval[]> = (raw, where) => [
  ...new Set(items(raw, where).map((item) => readInterval(item, where))),
];

export const readInterval: ValueReader<Interval> = (raw, where) =>
  typeof raw === 'string' && isInterval(raw)
    ? raw
    : refuse(where, `one of ${INTERVALS.join(', ')}`, raw, typeof raw === 'string' ? nearest(raw, INTERVALS) : null);

/** A UTC date of the calendar, such as 2024-06-01. */
export const readDate: ValueReader<Day> = (raw, where) =>
  typeof raw === 'string' && isDay(raw) ? raw : refuse(where, 'a UTC date such as 2024-06-01', raw);

/** A choice of markets for every configured exchange, or with a prefix for one (`exchange` null means every). */
export interface VenueChoice {
  readonly exchange: Exchange | null;
  readonly choice: MarketChoice;
}

// `BTC/USDT`, `coinbase:BTC/USD`, `binance:*/USDT`, `top:50`, `okx:top:20:USDC`.
export const readMarkets: ValueReader<readonly VenueChoice[]> = (raw, where) =>
  items(raw, where).map((item) => readMarket(item, where));

const readMarket = (item: string, where: string): VenueChoice => {
  const prefix = /^(?!top:)([^:]*):/i.exec(item)?.[1];
  const choice = parseMarketChoice(prefix === undefined ? item : item.slice(prefix.length + 1));
  if (choice === null)
    return refuse(where, 'a symbol such as BTC/USDT, BTC-USDT or BTCUSDT, a pattern such as */USDT, or top:50', item);
  return { exchange: prefix === undefined ? null : readExchange(prefix, where), choice };
};

/** One market by name, of every exchange or of one. */
export interface SymbolChoice {
  readonly exchange: Exchange | null;
  readonly symbol: MarketSymbol;
}

/** Exactly one symbol: no list, no pattern, no ranking. */
export const readSymbol: ValueReader<SymbolChoice> = (raw, where) => {
  const [first, ...others] = readMarkets(raw, where);
  if (first?.choice.kind !== 'symbol' || others.length > 0) return refuse(where, 'one symbol', raw);
  return { exchange: first.exchange, symbol: first.choice.symbol };
};

export const LOG_LEVEL_NAMES = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevelWord = (typeof LOG_LEVEL_NAMES)[number];

export const readLogLevel: ValueReader<LogLevelWord> = (raw, where) =>
  LOG_LEVEL_NAMES.find((level) => level === raw) ??
  refuse(
    where,
    `one of ${LOG_LEVEL_NAMES.join(', ')}`,
    raw,
    typeof raw === 'string' ? nearest(raw, LOG_LEVEL_NAMES) : null,
  );

/** The names of all assets. */
export const ASSET_NAMES: readonly string[] = [...[...EXCHANGES.keys()].map(bronzeAsset), SILVER_ASSET, GOLD_ASSET];

export const readAssetNames: ValueReader<readonly string[]> = (raw, where) => [
  ...new Set(
    items(raw, where).map((item) =>
      ASSET_NAMES.includes(item)
        ? item
        : refuse(where, `one of ${ASSET_NAMES.join(', ')}`, item, nearest(item, ASSET_NAMES)),
    ),
  ),
];
