import { inspect } from 'node:util';
import type { Exchange } from '../market/exchange.ts';
import { INTERVALS, isInterval, type Interval } from '../market/interval.ts';
import { parseSymbol, type MarketSymbol } from '../market/symbol.ts';
import { ConfigurationError } from '../faults/taxonomy/errors.ts';
import { ADAPTERS } from '../data/exchanges/registry.ts';
import { isAddress, type Egress } from '../kernel/http.ts';
import { nearest } from './nearest.ts';

/** Reads one value as a person wrote it. `where` names the file and key, flag or variable. @throws ConfigurationError (CONFIG_INVALID). */
export type ValueReader<T> = (raw: unknown, where: string) => T;

const quoted = (raw: unknown): string => (typeof raw === 'string' ? `"${raw}"` : inspect(raw, { breakLength: Infinity, depth: 1 }));

const refuse = (where: string, expected: string, raw: unknown, suggestion: string | null = null): never => {
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
  return typeof share === 'number' && share > 0 && share <= 1 ? share : refuse(where, 'a number above 0 and at most 1', raw);
};

export const readText: ValueReader<string> = (raw, where) => (typeof raw === 'string' && raw.trim() !== '' ? raw.trim() : refuse(where, 'text', raw));

/** An http(s) origin without path; a trailing slash is forgiven. */
export const readOrigin: ValueReader<string> = (raw, where) => {
  const text = typeof raw === 'string' ? raw.trim() : '';
  const url = URL.canParse(text) ? new URL(text) : null;
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  return isOrigin ? url.origin : refuse(where, 'an origin such as https://api.binance.com, without path, user name or password', typeof raw === 'string' ? raw.replace(/\/\/.*@/s, '//********@') : raw);
};

/** `home=http://proxy:3128` or `home=10.0.0.5`, or an object with `name` and `proxyUrl` or `localAddress`. */
export const readEgress: ValueReader<Egress> = (raw, where) => {
  const expected = 'name=PROXY_URL or name=LOCAL_ADDRESS';
  const [name, way] = typeof raw === 'string' ? splitOnce(raw, '=') : isFields(raw) ? [raw['name'], raw['proxyUrl'] ?? raw['localAddress']] : [];
  if (typeof name !== 'string' || !/^[\w-]{1,32}$/.test(name) || typeof way !== 'string') return refuse(where, expected, 'something else');
  if (isAddress(way)) return { name, localAddress: way };
  return /^https?:$/.test(URL.canParse(way) ? new URL(way).protocol : '') ? { name, proxyUrl: way } : refuse(where, expected, 'neither a URL nor an address');
};

const splitOnce = (text: string, separator: string): readonly [string, string] => [text.slice(0, text.indexOf(separator)), text.slice(text.indexOf(separator) + 1)];
const isFields = (raw: unknown): raw is Readonly<Record<string, unknown>> => typeof raw === 'object' && raw !== null;

/** `owner/name` of a repository on the Hub. */
export const readRepo: ValueReader<string> = (raw, where) =>
  typeof raw === 'string' && /^[\w.-]+\/[\w.-]+$/.test(raw.trim()) ? raw.trim() : refuse(where, 'a dataset repository such as owner/name', raw);

/** A comma list, or a list. */
const items = (raw: unknown, where: string): readonly string[] => {
  const list: unknown[] = Array.isArray(raw) ? raw : typeof raw === 'string' ? raw.split(',') : [];
  const texts = list.map((item) => (typeof item === 'string' ? item.trim() : '')).filter((item) => item !== '');
  return texts.length > 0 && texts.length === list.filter((item) => item !== '').length ? texts : refuse(where, 'a comma list or a list of texts', raw);
};

export const readExchanges: ValueReader<readonly Exchange[]> = (raw, where) => [...new Set(items(raw, where).map((item) => readExchange(item, where)))];

export const readExchange: ValueReader<Exchange> = (raw, where) => {
  const name = String(raw).toLowerCase();
  const known = [...ADAPTERS.keys()];
  return known.includes(name) ? name : refuse(where, `one of ${known.join(', ')}`, raw, nearest(name, known));
};

export const readIntervals: ValueReader<readonly Interval[]> = (raw, where) =>
  [...new Set(items(raw, where).map((item) => (isInterval(item) ? item : refuse(where, `one of ${INTERVALS.join(', ')}`, item, nearest(item, INTERVALS)))))];

/** `BTC/USDT` for every configured exchange, `binance:BTC/USDT` for one (`exchange` null means every). */
export interface SymbolChoice {
  readonly exchange: Exchange | null;
  readonly symbol: MarketSymbol;
}

export const readSymbols: ValueReader<readonly SymbolChoice[]> = (raw, where) => items(raw, where).map((item) => readSymbol(item, where));

const readSymbol = (item: string, where: string): SymbolChoice => {
  const at = item.indexOf(':');
  if (item.includes('*') || item.toLowerCase().startsWith('top:')) return refuse(where, 'symbols by name (patterns and top:N are not in this release)', item);
  const symbol = parseSymbol(item.slice(at + 1));
  if (symbol === null) return refuse(where, 'a symbol such as BTC/USDT, BTC-USDT or BTCUSDT', item);
  return { exchange: at < 0 ? null : readExchange(item.slice(0, at), where), symbol };
};

export const LOG_LEVEL_WORDS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevelWord = (typeof LOG_LEVEL_WORDS)[number];

export const readLogLevel: ValueReader<LogLevelWord> = (raw, where) =>
  LOG_LEVEL_WORDS.find((level) => level === raw) ?? refuse(where, `one of ${LOG_LEVEL_WORDS.join(', ')}`, raw, typeof raw === 'string' ? nearest(raw, LOG_LEVEL_WORDS) : null);
