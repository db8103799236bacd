import { resolve } from 'node:path';
import type { Exchange } from '../domain/exchange.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { defaultChannels, type AlertSettings } from '../alerting/model/settings.ts';
import { EXCHANGES } from '../exchanges/registry.ts';
import type { MarketChoices } from '../engine/core/symbol-resolution.ts';
import type { Settings } from '../engine/core/settings.ts';
import { nearest } from './nearest.ts';
import type { ListenAddress } from './alert-values.ts';
import {
  readConfigurationFile,
  type ConfigurationFile,
  type Environment,
  type FileSources,
} from './configuration-file.ts';
import { OPTION_KEYS, optionOf, pathOf, urlKey, type FixedKey, type OptionKey, type OptionValue } from './options.ts';
import { readOrigin, type LogLevelWord, type VenueChoice } from './setting-values.ts';
import { choicesByVenue, intervalWarnings, requireCandles, textOf } from './exchange-choices.ts';

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
  /** The configured markets as written; patterns and rankings are resolved with the exchanges' symbol lists. */
  readonly choices: MarketChoices;
  readonly logLevel: LogLevelWord;
  readonly server: ServerSettings;
  /** The demo logs human-readable lines even when its output is piped. */
  readonly isDemo: boolean;
  readonly inForce: readonly OptionInForce[];
  /** Sentences for the user, such as one about an unknown variable. */
  readonly warnings: readonly string[];
}

/** How `start` serves HTTP. */
export interface ServerSettings {
  readonly listen: ListenAddress;
  /** Null: `start` generates one and keeps it in the data directory. */
  readonly token: string | null;
  /** /metrics needs no token. */
  readonly isMetricsOpen: boolean;
}

export interface ConfigurationSources extends FileSources {
  /** Values of flags by option key. */
  readonly flags: Readonly<Partial<Record<OptionKey, string>>>;
}

/**
 * The configuration in force: file, then environment, then flags.
 * @throws ConfigurationError (CONFIG_INVALID) with path, expected, got and the nearest key.
 */
export async function loadConfiguration(sources: ConfigurationSources): Promise<Configuration> {
  const file = await readConfigurationFile(sources);
  const found = new Map(OPTION_KEYS.map((key) => [key, rawOf(key, sources, file)]));
  const raw = (key: OptionKey): RawValue => found.get(key) as RawValue;
  const value: FileValues['value'] = (key) =>
    raw(key).value === null ? null : (optionOf(key).read(raw(key).value, raw(key).where) as OptionValue<typeof key>);
  const known: FileValues['known'] = (key) => value(key) as OptionValue<typeof key>;
  const [repo, token, endpoint, caFile] = [value('hfRepo'), value('hfToken'), known('hfEndpoint'), value('caFile')];
  if (repo !== null && token === null)
    throw new ConfigurationError({ where: 'HF_TOKEN', expected: `a token that may write to ${repo}`, got: 'nothing' });
  const choices = choicesByVenue(known('exchanges'), known('symbols'), raw('symbols').where);
  requireCandles([...choices.keys()], known('interval'), raw('interval').where);
  return {
    choices,
    settings: {
      dataDir: resolve(sources.cwd, known('dataDir')),
      markets: new Map(
        [...choices].map(([exchange, own]) => [
          exchange,
          [...new Set(own.flatMap((choice) => (choice.kind === 'symbol' ? [choice.symbol] : [])))],
        ]),
      ),
      intervals: known('interval'),
      origins: Object.fromEntries(
        [...EXCHANGES.keys()].flatMap((exchange) => {
          const own = raw(urlKey(exchange));
          return own.value === null ? [] : [[exchange, readOrigin(own.value, own.where)]];
        }),
      ),
      requestTimeoutMs: known('requestTimeout'),
      deadlineMs: known('deadline'),
      recheckAfterMs: known('recheckAfter'),
      rateShare: known('rateShare'),
      network: {
        httpsProxy: value('httpsProxy'),
        noProxy: value('noProxy'),
        caPem: caFile === null ? null : readTextFile(sources.files, resolve(sources.cwd, caFile), raw('caFile').where),
        egress: value('egress'),
      },
      hub: repo === null || token === null ? null : { repo, token, endpoint },
      alerts: alertSettings({ value, known }, raw('alertChannels').where),
      tags: value('tags') ?? {},
    },
    server: { listen: known('listen'), token: value('token'), isMetricsOpen: known('metricsOpen') },
    logLevel: known('logLevel'),
    isDemo: false,
    inForce: OPTION_KEYS.map((key) => inForce(key, raw(key))),
    warnings: [
      ...unknownVariables(sources.env),
      ...strayChoices(known('exchanges'), known('symbols')),
      ...intervalWarnings([...choices.keys()], known('interval')),
      ...(value('smtpUrl') !== null && value('alertEmailTo') === null
        ? ['SMTP_URL is set but ALERT_EMAIL_TO is not: no e-mail is sent']
        : []),
    ],
  };
}

/** Parsed values of the options in force. */
interface FileValues {
  /** Null when unset. */
  readonly value: <K extends FixedKey>(key: K) => OptionValue<K> | null;
  /** Of an option with a default. */
  readonly known: <K extends FixedKey>(key: K) => OptionValue<K>;
}

/** `where` is the origin of `alerts.channels`, for error messages. */
function alertSettings({ value, known }: FileValues, where: string): AlertSettings {
  const byVariable = defaultChannels({
    slackWebhookUrl: value('slackWebhookUrl'),
    pagerdutyRoutingKey: value('pagerdutyRoutingKey'),
    pagerdutyEventsUrl: value('pagerdutyEventsUrl'),
    smtpUrl: value('smtpUrl'),
    emailTo: value('alertEmailTo') ?? [],
    emailFrom: value('alertEmailFrom'),
    webhookUrl: value('alertWebhookUrl'),
    webhookSecret: value('alertWebhookSecret'),
  });
  const named = known('alertChannels');
  const duplicate = named.find(({ name }) => byVariable.some((channel) => channel.name === name));
  if (duplicate !== undefined)
    throw new ConfigurationError({
      where,
      expected: 'a name that no channel configured by variables has',
      got: duplicate.name,
    });
  return {
    instance: known('instance'),
    runbookUrl: value('runbookUrl')?.replace(/\/$/, '') ?? null,
    channels: [...byVariable, ...named],
    criticalAssets: known('criticalAssets'),
    heartbeatUrl: value('heartbeatUrl'),
  };
}

/** The secrets in the environment. Collected before parsing, so that no error message shows one. */
export const secretVariables = (env: Environment): string[] =>
  OPTION_KEYS.map(optionOf).flatMap(({ env: name, isSecret }) => (isSecret && env[name] ? [env[name]] : []));

interface RawValue {
  readonly value: unknown;
  readonly where: string;
  readonly source: string;
}

function rawOf(key: OptionKey, { cwd, env, flags, files }: ConfigurationSources, file: ConfigurationFile): RawValue {
  const option = optionOf(key);
  const flag = flags[key];
  if (flag !== undefined)
    return { value: flag, where: `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, source: 'flag' };
  const secretFile = option.isSecret ? env[`${option.env}_FILE`] : undefined;
  if (secretFile)
    return {
      value: readTextFile(files, resolve(cwd, secretFile), `${option.env}_FILE`),
      where: `${option.env}_FILE`,
      source: 'environment',
    };
  if (env[option.env]) return { value: env[option.env], where: option.env, source: 'environment' };
  const own = file.values.get(key) ?? null;
  if (own !== null) return { value: own, where: `${file.path} ${pathOf(key)}`, source: file.path };
  return { value: option.fallback, where: key, source: 'default' };
}

function readTextFile(files: FileSources['files'], path: string, where: string): string {
  try {
    return Buffer.from(files.read(path)).toString('utf8').trim();
  } catch (error) {
    throw new ConfigurationError({ where, expected: 'a file that can be read', got: `"${path}"` }, { cause: error });
  }
}

/** Warns about choices for exchanges that are not configured. */
const strayChoices = (exchanges: readonly Exchange[], choices: readonly VenueChoice[]): string[] =>
  choices
    .filter(({ exchange }) => exchange !== null && !exchanges.includes(exchange))
    .map(
      (one) =>
        `${textOf(one)} is left out: ${one.exchange} is not among the configured exchanges (CANDLEKEEP_EXCHANGES)`,
    );

function inForce(key: OptionKey, raw: RawValue): OptionInForce {
  const option = optionOf(key);
  const text = raw.value === null ? null : typeof raw.value === 'string' ? raw.value : JSON.stringify(raw.value);
  return { key, env: option.env, value: text !== null && option.isSecret ? '********' : text, source: raw.source };
}

/** Variables reserved for later releases. */
const LATER = ['CANDLEKEEP_STATE_URL', 'CANDLEKEEP_LAKE_URL'];

function unknownVariables(env: Environment): string[] {
  const known = OPTION_KEYS.map(optionOf).flatMap(({ env: name, isSecret }) =>
    isSecret ? [name, `${name}_FILE`] : [name],
  );
  return Object.keys(env)
    .filter((name) => name.startsWith('CANDLEKEEP_') && !known.includes(name) && env[name] !== '')
    .map((name) => {
      if (LATER.includes(name)) return `${name} is set, but this release does not use it yet`;
      const bare = name.slice('CANDLEKEEP_'.length);
      const like = known.includes(bare) ? bare : nearest(name, known);
      return `${name} is not a variable of Candlekeep${like === null ? '' : `; did you mean ${like}?`}`;
    });
}
