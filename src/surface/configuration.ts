import { resolve } from 'node:path';
import { realFiles } from '../kernel/files.ts';
import { defaultExportOf } from '../kernel/module-file.ts';
import type { Exchange } from '../market/exchange.ts';
import { ConfigurationError } from '../faults/taxonomy/errors.ts';
import { ADAPTERS } from '../data/exchanges/registry.ts';
import type { MarketChoices } from '../engine/market-resolution.ts';
import type { Settings } from '../engine/settings.ts';
import { nearest } from './nearest.ts';
import { isOptionKey, OPTION_KEYS, optionOf, urlKey, type FixedKey, type OptionKey, type OptionValue } from './options.ts';
import { readOrigin, type LogLevelWord, type VenueChoice } from './setting-values.ts';
import { choicesByVenue, intervalWarnings, requireCandles, textOf } from './venue-choices.ts';

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
  /** The configured markets as they were named; patterns and rankings are for the venues to answer. */
  readonly choices: MarketChoices;
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
  const found = new Map(OPTION_KEYS.map((key) => [key, rawOf(key, sources, file)]));
  const raw = (key: OptionKey): RawValue => found.get(key) as RawValue;
  const value = <K extends FixedKey>(key: K): OptionValue<K> | null => (raw(key).value === null ? null : (optionOf(key).read(raw(key).value, raw(key).where) as OptionValue<K>));
  const known = <K extends FixedKey>(key: K): OptionValue<K> => value(key) as OptionValue<K>;
  const [repo, token, endpoint, caFile] = [value('hfRepo'), value('hfToken'), known('hfEndpoint'), value('caFile')];
  if (repo !== null && token === null) throw new ConfigurationError({ where: 'HF_TOKEN', expected: `a token that may write to ${repo}`, got: 'nothing' });
  const choices = choicesByVenue(known('exchanges'), known('symbols'), raw('symbols').where);
  requireCandles([...choices.keys()], known('interval'), raw('interval').where);
  return {
    choices,
    settings: {
      dataDir: resolve(sources.cwd, known('dataDir')),
      markets: new Map([...choices].map(([exchange, own]) => [exchange, [...new Set(own.flatMap((choice) => (choice.kind === 'symbol' ? [choice.symbol] : [])))]])),
      intervals: known('interval'),
      origins: Object.fromEntries([...ADAPTERS.keys()].flatMap((exchange) => {
        const own = raw(urlKey(exchange));
        return own.value === null ? [] : [[exchange, readOrigin(own.value, own.where)]];
      })),
      requestTimeoutMs: known('requestTimeout'),
      deadlineMs: known('deadline'),
      recheckAfterMs: known('recheckAfter'),
      rateShare: known('rateShare'),
      network: {
        httpsProxy: value('httpsProxy'),
        noProxy: value('noProxy'),
        caPem: caFile === null ? null : readTextFile(resolve(sources.cwd, caFile), raw('caFile').where),
        egress: value('egress'),
      },
      hub: repo === null || token === null ? null : { repo, token, endpoint },
    },
    logLevel: known('logLevel'),
    isDemo: false,
    inForce: OPTION_KEYS.map((key) => inForce(key, raw(key))),
    warnings: [...unknownVariables(sources.env), ...strayChoices(known('exchanges'), known('symbols')), ...intervalWarnings([...choices.keys()], known('interval'))],
  };
}

interface RawValue {
  readonly value: unknown;
  readonly where: string;
  readonly source: string;
}

function rawOf(key: OptionKey, { cwd, env, flags }: ConfigurationSources, file: ConfigFile): RawValue {
  const option = optionOf(key);
  const flag = flags[key];
  if (flag !== undefined) return { value: flag, where: `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, source: 'flag' };
  const secretFile = option.isSecret ? env[`${option.env}_FILE`] : undefined;
  if (secretFile) return { value: readTextFile(resolve(cwd, secretFile), `${option.env}_FILE`), where: `${option.env}_FILE`, source: 'environment' };
  if (env[option.env]) return { value: env[option.env], where: option.env, source: 'environment' };
  const own = file.values[key] ?? null;
  if (own !== null) return { value: own, where: `${file.path} ${key}`, source: file.path };
  return { value: option.fallback, where: key, source: 'default' };
}

function readTextFile(path: string, where: string): string {
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
    if (!isOptionKey(key)) throw new ConfigurationError({ where: `${path} ${key}`, expected: 'a known option', got: `"${key}"`, nearest: nearest(key, OPTION_KEYS) });
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

/** Choices for an exchange that is not configured do nothing, and that is said. */
const strayChoices = (exchanges: readonly Exchange[], choices: readonly VenueChoice[]): string[] =>
  choices.filter(({ exchange }) => exchange !== null && !exchanges.includes(exchange)).map((one) => `${textOf(one)} is left out: ${one.exchange} is not among the configured exchanges (CANDLEKEEP_EXCHANGES)`);

function inForce(key: OptionKey, raw: RawValue): OptionInForce {
  const option = optionOf(key);
  const text = raw.value === null ? null : typeof raw.value === 'string' ? raw.value : JSON.stringify(raw.value);
  return { key, env: option.env, value: text !== null && option.isSecret ? '********' : text, source: raw.source };
}

/** Variables of later releases that are understood and do nothing yet. */
const LATER = ['CANDLEKEEP_STATE_URL', 'CANDLEKEEP_LAKE_URL', 'CANDLEKEEP_LISTEN', 'CANDLEKEEP_TOKEN'];

function unknownVariables(env: ConfigurationSources['env']): string[] {
  const known: string[] = OPTION_KEYS.map((key) => optionOf(key).env);
  return Object.keys(env).filter((name) => name.startsWith('CANDLEKEEP_') && !known.includes(name) && env[name] !== '').map((name) => {
    if (LATER.includes(name)) return `${name} is set, but this release does not use it yet`;
    const bare = name.slice('CANDLEKEEP_'.length);
    const like = known.includes(bare) ? bare : nearest(name, known);
    return `${name} is not a variable of Candlekeep${like === null ? '' : `; did you mean ${like}?`}`;
  });
}
