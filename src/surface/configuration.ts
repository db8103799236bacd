import { resolve } from 'node:path';
import { realFiles } from '../kernel/files.ts';
import { defaultExportOf } from '../kernel/module-file.ts';
import type { Exchange } from '../market/exchange.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import { ConfigurationError } from '../faults/taxonomy/errors.ts';
import type { Settings } from '../engine/settings.ts';
import { nearest } from './nearest.ts';
import {
  readDuration, readExchanges, readIntervals, readLogLevel, readOrigin, readRepo, readShare, readSymbols, readText,
  type LogLevelWord, type SymbolChoice, type ValueReader,
} from './setting-values.ts';

/** Everything that can be configured, once: key in the file, variable, default, reader. */
const OPTIONS = {
  dataDir: { env: 'CANDLEKEEP_DATA_DIR', fallback: './candlekeep-data', read: readText },
  exchanges: { env: 'CANDLEKEEP_EXCHANGES', fallback: 'binance', read: readExchanges },
  symbols: { env: 'CANDLEKEEP_SYMBOLS', fallback: 'BTC/USDT,ETH/USDT,SOL/USDT', read: readSymbols },
  interval: { env: 'CANDLEKEEP_INTERVAL', fallback: '1h', read: readIntervals },
  binanceUrl: { env: 'CANDLEKEEP_BINANCE_URL', fallback: null, read: readOrigin },
  requestTimeout: { env: 'CANDLEKEEP_REQUEST_TIMEOUT', fallback: '10s', read: readDuration },
  deadline: { env: 'CANDLEKEEP_DEADLINE', fallback: '5m', read: readDuration },
  recheckAfter: { env: 'CANDLEKEEP_RECHECK_AFTER', fallback: '6h', read: readDuration },
  rateShare: { env: 'CANDLEKEEP_RATE_SHARE', fallback: '0.9', read: readShare },
  hfRepo: { env: 'CANDLEKEEP_HF_REPO', fallback: null, read: readRepo },
  hfToken: { env: 'HF_TOKEN', fallback: null, read: readText, isSecret: true },
  hfEndpoint: { env: 'HF_ENDPOINT', fallback: 'https://huggingface.co', read: readOrigin },
  logLevel: { env: 'LOG_LEVEL', fallback: 'warn', read: readLogLevel },
} as const satisfies Readonly<Record<string, { env: string; fallback: string | null; read: ValueReader<unknown>; isSecret?: boolean }>>;

export type OptionKey = keyof typeof OPTIONS;
const KEYS = Object.keys(OPTIONS) as readonly OptionKey[];

/** A configuration file's content: each key as text, lists as lists too. Secrets belong into the environment. */
export interface CandlekeepConfig {
  /** Where bronze, silver, gold and the state live. Default `./candlekeep-data`. */
  readonly dataDir?: string;
  readonly exchanges?: string | readonly string[];
  readonly symbols?: string | readonly string[];
  /** One or several of `1m 5m 15m 1h 4h 1d`. */
  readonly interval?: string | readonly string[];
  /** Origin to ask instead of Binance's own; no other Binance host is contacted then. */
  readonly binanceUrl?: string;
  /** Per attempt, headers and body; `10s`. */
  readonly requestTimeout?: string;
  /** Per page, all attempts; `5m`. */
  readonly deadline?: string;
  /** When a hole is asked for again; `6h`. */
  readonly recheckAfter?: string;
  /** Our share of the venue's limit, above 0 and at most 1. */
  readonly rateShare?: number | string;
  /** `owner/name` of your dataset repository on the Hub. */
  readonly hfRepo?: string;
  readonly hfEndpoint?: string;
  readonly logLevel?: string;
}

/** Gives a `candlekeep.config.ts` its types. */
export const defineConfig = (config: CandlekeepConfig): CandlekeepConfig => config;

/** One option in force and where it comes from. */
export interface OptionInForce {
  readonly key: OptionKey;
  readonly env: string;
  /** As text, secrets masked; null when unset. */
  readonly value: string | null;
  readonly source: string;
}

export interface Configuration {
  readonly settings: Settings;
  readonly logLevel: LogLevelWord;
  /** The demo speaks to a person even when its output is piped. */
  readonly isDemo: boolean;
  readonly inForce: readonly OptionInForce[];
  /** Things worth a warning, such as a variable nobody reads. */
  readonly warnings: readonly string[];
}

export interface ConfigurationSources {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From --config; null looks for the usual names in `cwd`. */
  readonly file: string | null;
  /** Values of flags by option key. */
  readonly flags: Readonly<Partial<Record<OptionKey, string>>>;
}

const FILE_NAMES = ['candlekeep.config.ts', 'candlekeep.config.js', 'candlekeep.config.mjs', 'candlekeep.config.json'];

/**
 * The configuration in force: file, then environment, then flags.
 * @throws ConfigurationError (CONFIG_INVALID) with path, expected, got and the nearest key.
 */
export async function loadConfiguration(sources: ConfigurationSources): Promise<Configuration> {
  const file = await readFile(sources);
  const found = new Map(KEYS.map((key) => [key, rawOf(key, sources, file)]));
  const value = <K extends OptionKey>(key: K): ReturnType<(typeof OPTIONS)[K]['read']> | null => {
    const raw = found.get(key);
    return raw === undefined || raw.value === null ? null : (OPTIONS[key].read(raw.value, raw.where) as ReturnType<(typeof OPTIONS)[K]['read']>);
  };
  const known = <K extends OptionKey>(key: K): ReturnType<(typeof OPTIONS)[K]['read']> => value(key) as ReturnType<(typeof OPTIONS)[K]['read']>;
  const [repo, token, endpoint, binanceUrl] = [value('hfRepo'), value('hfToken'), known('hfEndpoint'), value('binanceUrl')];
  if (repo !== null && token === null) throw new ConfigurationError({ where: 'HF_TOKEN', expected: `a token that may write to ${repo}`, got: 'nothing' });
  return {
    settings: {
      dataDir: resolve(sources.cwd, known('dataDir')),
      markets: marketsOf(known('exchanges'), known('symbols')),
      intervals: known('interval'),
      origins: binanceUrl === null ? {} : { binance: binanceUrl },
      requestTimeoutMs: known('requestTimeout'),
      deadlineMs: known('deadline'),
      recheckAfterMs: known('recheckAfter'),
      rateShare: known('rateShare'),
      hub: repo === null || token === null ? null : { repo, token, endpoint },
    },
    logLevel: known('logLevel'),
    isDemo: false,
    inForce: KEYS.map((key) => inForce(key, found.get(key) as RawValue)),
    warnings: unknownVariables(sources.env),
  };
}

interface RawValue {
  readonly value: unknown;
  readonly where: string;
  readonly source: string;
}

function rawOf(key: OptionKey, { cwd, env, flags }: ConfigurationSources, file: ConfigFile): RawValue {
  const option = OPTIONS[key];
  const flag = flags[key];
  if (flag !== undefined) return { value: flag, where: `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, source: 'flag' };
  const secretFile = 'isSecret' in option ? env[`${option.env}_FILE`] : undefined;
  if (secretFile) return { value: readSecret(resolve(cwd, secretFile), `${option.env}_FILE`), where: `${option.env}_FILE`, source: 'environment' };
  if (env[option.env]) return { value: env[option.env], where: option.env, source: 'environment' };
  const own = file.values[key] ?? null;
  if (own !== null) return { value: own, where: `${file.path} ${key}`, source: file.path };
  return { value: option.fallback, where: key, source: 'default' };
}

function readSecret(path: string, where: string): string {
  try {
    return Buffer.from(realFiles.read(path)).toString('utf8').trim();
  } catch (error) {
    throw new ConfigurationError({ where, expected: 'a file that can be read', got: `"${path}"` }, { cause: error });
  }
}

interface ConfigFile {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

async function readFile({ cwd, file }: ConfigurationSources): Promise<ConfigFile> {
  const path = file === null ? FILE_NAMES.map((name) => resolve(cwd, name)).find((candidate) => realFiles.exists(candidate)) : resolve(cwd, file);
  if (path === undefined) return { path: '', values: {} };
  if (!realFiles.exists(path)) throw new ConfigurationError({ where: '--config', expected: 'a file that exists', got: `"${path}"` });
  const content = await parseFile(path);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw new ConfigurationError({ where: path, expected: 'an object of options as its content or default export', got: kindOf(content) });
  for (const key of Object.keys(content)) {
    if (key === 'hfToken') throw new ConfigurationError({ where: `${path} hfToken`, expected: 'secrets in the environment (HF_TOKEN or HF_TOKEN_FILE)', got: 'one in the file' });
    if (!(KEYS as readonly string[]).includes(key)) throw new ConfigurationError({ where: `${path} ${key}`, expected: 'a known option', got: `"${key}"`, nearest: nearest(key, KEYS) });
  }
  return { path, values: content as Record<string, unknown> };
}

const kindOf = (content: unknown): string => (Array.isArray(content) ? 'a list' : content === null || content === undefined ? 'nothing' : `a ${typeof content}`);

/** V8 quotes the text around the fault, and that text may be a secret. */
const QUOTED_SOURCE = /, (?:\.\.\.)?".*is not valid JSON$/s;

async function parseFile(path: string): Promise<unknown> {
  try {
    if (path.endsWith('.json')) return JSON.parse(Buffer.from(realFiles.read(path)).toString('utf8')) as unknown;
    return await defaultExportOf(path);
  } catch (error) {
    throw new ConfigurationError({ where: path, expected: path.endsWith('.json') ? 'JSON' : 'a module with a default export', got: Error.isError(error) ? error.message.replace(QUOTED_SOURCE, '').split('\n')[0] ?? '' : String(error) }, { cause: error });
  }
}

function marketsOf(exchanges: readonly Exchange[], symbols: readonly SymbolChoice[]): ReadonlyMap<Exchange, readonly MarketSymbol[]> {
  const markets = exchanges.map((exchange): [Exchange, MarketSymbol[]] => [
    exchange, [...new Set(symbols.filter((choice) => choice.exchange === null || choice.exchange === exchange).map((choice) => choice.symbol))],
  ]);
  return new Map(markets.filter(([, own]) => own.length > 0));
}

function inForce(key: OptionKey, raw: RawValue): OptionInForce {
  const option = OPTIONS[key];
  const text = raw.value === null ? null : typeof raw.value === 'string' ? raw.value : JSON.stringify(raw.value);
  return { key, env: option.env, value: text !== null && 'isSecret' in option ? '********' : text, source: raw.source };
}

/** Variables of later releases that are understood and do nothing yet. */
const LATER = ['CANDLEKEEP_COINBASE_URL', 'CANDLEKEEP_OKX_URL', 'CANDLEKEEP_STATE_URL', 'CANDLEKEEP_LAKE_URL', 'CANDLEKEEP_LISTEN', 'CANDLEKEEP_TOKEN'];

function unknownVariables(env: ConfigurationSources['env']): string[] {
  const known: string[] = KEYS.map((key) => OPTIONS[key].env);
  return Object.keys(env).filter((name) => name.startsWith('CANDLEKEEP_') && !known.includes(name) && env[name] !== '').map((name) => {
    if (LATER.includes(name)) return `${name} is set, but this release does not use it yet`;
    const bare = name.slice('CANDLEKEEP_'.length);
    const like = known.includes(bare) ? bare : nearest(name, known);
    return `${name} is not a variable of Candlekeep${like === null ? '' : `; did you mean ${like}?`}`;
  });
}
