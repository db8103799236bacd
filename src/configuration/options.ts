import { CRITICAL_ASSETS, NO_CHANNELS } from '../alerting/model/settings.ts';
import { EXCHANGES } from '../exchanges/registry.ts';
import {
  readAddress,
  readAddresses,
  readChannels,
  readInstance,
  readListen,
  readSecret,
  readSmtpUrl,
  readTags,
  readUrl,
} from './alert-values.ts';
import {
  readAssetNames,
  readFlag,
  readDuration,
  readEgress,
  readExchanges,
  readIntervals,
  readLogLevel,
  readOrigin,
  readProxy,
  readRepo,
  readMarkets,
  readShare,
  readText,
  type ValueReader,
} from './setting-values.ts';

interface Option {
  readonly env: string;
  readonly fallback: string | null;
  readonly read: ValueReader<unknown>;
  /** Masked wherever it is shown. May come from the file that `<variable>_FILE` names. */
  readonly isSecret?: boolean;
  /** Refused in a configuration file, which people share. */
  readonly isEnvOnly?: boolean;
  /** Its path in the file; default: its own key. */
  readonly path?: `${string}.${string}`;
}

/** Every option: key in the file, variable, default, reader. */
const FIXED = {
  dataDir: { env: 'CANDLEKEEP_DATA_DIR', fallback: './candlekeep-data', read: readText },
  exchanges: { env: 'CANDLEKEEP_EXCHANGES', fallback: 'binance', read: readExchanges },
  symbols: { env: 'CANDLEKEEP_SYMBOLS', fallback: 'BTC/USDT,ETH/USDT,SOL/USDT', read: readMarkets },
  interval: { env: 'CANDLEKEEP_INTERVAL', fallback: '1h', read: readIntervals },
  requestTimeout: { env: 'CANDLEKEEP_REQUEST_TIMEOUT', fallback: '10s', read: readDuration },
  deadline: { env: 'CANDLEKEEP_DEADLINE', fallback: '5m', read: readDuration },
  recheckAfter: { env: 'CANDLEKEEP_RECHECK_AFTER', fallback: '6h', read: readDuration },
  rateShare: { env: 'CANDLEKEEP_RATE_SHARE', fallback: '0.9', read: readShare },
  httpsProxy: { env: 'HTTPS_PROXY', fallback: null, read: readProxy, isSecret: true },
  noProxy: { env: 'NO_PROXY', fallback: null, read: readText },
  caFile: { env: 'CANDLEKEEP_CA_FILE', fallback: null, read: readText },
  egress: { env: 'CANDLEKEEP_EGRESS', fallback: null, read: readEgress, isSecret: true },
  hfRepo: { env: 'CANDLEKEEP_HF_REPO', fallback: null, read: readRepo },
  hfToken: { env: 'HF_TOKEN', fallback: null, read: readText, isSecret: true, isEnvOnly: true },
  hfEndpoint: { env: 'HF_ENDPOINT', fallback: 'https://huggingface.co', read: readOrigin },
  logLevel: { env: 'LOG_LEVEL', fallback: 'warn', read: readLogLevel },
  slackWebhookUrl: { env: 'SLACK_WEBHOOK_URL', fallback: null, read: readUrl, isSecret: true, isEnvOnly: true },
  pagerdutyRoutingKey: {
    env: 'PAGERDUTY_ROUTING_KEY',
    fallback: null,
    read: readSecret,
    isSecret: true,
    isEnvOnly: true,
  },
  pagerdutyEventsUrl: { env: 'PAGERDUTY_EVENTS_URL', fallback: null, read: readUrl },
  smtpUrl: { env: 'SMTP_URL', fallback: null, read: readSmtpUrl, isSecret: true, isEnvOnly: true },
  alertEmailTo: { env: 'ALERT_EMAIL_TO', fallback: null, read: readAddresses },
  alertEmailFrom: { env: 'ALERT_EMAIL_FROM', fallback: null, read: readAddress },
  alertWebhookUrl: { env: 'ALERT_WEBHOOK_URL', fallback: null, read: readUrl, isSecret: true, isEnvOnly: true },
  alertWebhookSecret: {
    env: 'ALERT_WEBHOOK_SECRET',
    fallback: null,
    read: readSecret,
    isSecret: true,
    isEnvOnly: true,
  },
  heartbeatUrl: { env: 'HEARTBEAT_URL', fallback: null, read: readUrl, isSecret: true, isEnvOnly: true },
  alertChannels: {
    env: 'CANDLEKEEP_ALERT_CHANNELS',
    fallback: '{}',
    read: readChannels,
    isSecret: true,
    path: 'alerts.channels',
  },
  criticalAssets: {
    env: 'CANDLEKEEP_CRITICAL_ASSETS',
    fallback: CRITICAL_ASSETS.join(','),
    read: readAssetNames,
    path: 'alerts.criticalAssets',
  },
  instance: { env: 'CANDLEKEEP_INSTANCE', fallback: NO_CHANNELS.instance, read: readInstance, path: 'alerts.instance' },
  runbookUrl: { env: 'CANDLEKEEP_RUNBOOK_URL', fallback: null, read: readUrl, path: 'alerts.runbookUrl' },
  tags: { env: 'CANDLEKEEP_TAGS', fallback: null, read: readTags },
  listen: { env: 'CANDLEKEEP_LISTEN', fallback: '127.0.0.1:4680', read: readListen },
  token: { env: 'CANDLEKEEP_TOKEN', fallback: null, read: readSecret, isSecret: true, isEnvOnly: true },
  metricsOpen: { env: 'CANDLEKEEP_METRICS_OPEN', fallback: 'false', read: readFlag, path: 'metrics.open' },
} as const satisfies Readonly<Record<string, Option>>;

export type FixedKey = keyof typeof FIXED;
/** `binanceUrl`: the origin that replaces the exchange's own. */
export type UrlKey = `${string}Url`;
export type OptionKey = FixedKey | UrlKey;

/** The parsed type of an option. */
export type OptionValue<K extends FixedKey> = ReturnType<(typeof FIXED)[K]['read']>;

export const urlKey = (exchange: string): UrlKey => `${exchange}Url`;
const URLS = Object.fromEntries(
  [...EXCHANGES.keys()].map((exchange): [string, Option] => [
    urlKey(exchange),
    { env: `CANDLEKEEP_${exchange.toUpperCase()}_URL`, fallback: null, read: readOrigin },
  ]),
);

const OPTIONS: Readonly<Record<string, Option>> = { ...FIXED, ...URLS };
export const OPTION_KEYS = Object.keys(OPTIONS) as readonly OptionKey[];

export function optionOf(key: OptionKey): Option {
  const option = OPTIONS[key];
  if (option === undefined) throw new RangeError(`${key} is no option`);
  return option;
}

/** The path of an option in a configuration file. */
export const pathOf = (key: OptionKey): string => optionOf(key).path ?? key;

/** One entry of `alerts.channels`. `"$NAME"` stands for the variable NAME. */
type ChannelConfig = { readonly default?: boolean } & (
  | { readonly kind: 'slack'; readonly url: string }
  | { readonly kind: 'pagerduty'; readonly routingKey: string; readonly url?: string }
  | {
      readonly kind: 'email';
      readonly smtpUrl: string;
      readonly to: string | readonly string[];
      readonly from?: string;
    }
  | { readonly kind: 'webhook'; readonly url: string; readonly secret?: string }
);

/**
 * The content of a configuration file. Values are texts as in the environment; lists may be arrays. Secrets belong in
 * the environment.
 */
export interface CandlekeepConfig {
  /** Where bronze, silver, gold and the state live. Default `./candlekeep-data`. */
  readonly dataDir?: string;
  readonly exchanges?: string | readonly string[];
  // A line comment, because a pattern ends a block comment.
  // `BTC/USDT` for every exchange, `coinbase:BTC/USD` for one; patterns (`*/USDT`);
  // rankings by quote volume (`top:50`, `okx:top:20:USDC`).
  readonly symbols?: string | readonly string[];
  /** One or several of `1m 5m 15m 1h 4h 1d`. Default `1h`. */
  readonly interval?: string | readonly string[];
  /** Origin that replaces the exchange's own; no other host of that exchange is contacted. */
  readonly [exchangeUrl: UrlKey]: string | undefined;
  /** Limit of one attempt, headers and body. Default `10s`. */
  readonly requestTimeout?: string;
  /** Limit of one page, all attempts. Default `5m`. */
  readonly deadline?: string;
  /** Wait before a missing candle is requested again. Default `6h`. */
  readonly recheckAfter?: string;
  /** Our share of the exchange's rate limits, above 0 and at most 1. Default `0.9`. */
  readonly rateShare?: number | string;
  /** A proxy for https; `noProxy` names hosts to reach without it. */
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  /** PEM file with certificates to trust besides the built-in ones. */
  readonly caFile?: string;
  /** The way out to the exchanges: through a proxy, or from one of this machine's addresses. */
  readonly egress?:
    | { readonly name: string; readonly proxyUrl: string }
    | { readonly name: string; readonly localAddress: string }
    | string;
  /** `owner/name` of your dataset repository on the Hub. */
  readonly hfRepo?: string;
  readonly hfEndpoint?: string;
  readonly logLevel?: string;
  readonly pagerdutyEventsUrl?: string;
  readonly alertEmailTo?: string | readonly string[];
  readonly alertEmailFrom?: string;
  readonly alerts?: {
    /** By name. A channel gets alerts whose `alert_channel` tag names it, with `default` all alerts of its level. */
    readonly channels?: Readonly<Record<string, ChannelConfig>>;
    /** Assets whose failure is critical once retries are used up. */
    readonly criticalAssets?: string | readonly string[];
    /** Name of this installation, for channels that several installations share. */
    readonly instance?: string;
    /** URL of the runbook, which alerts link to. */
    readonly runbookUrl?: string;
  };
  /** Carried by every run and alert: `team`, `criticality`, `alert_channel`, others. */
  readonly tags?: Readonly<Record<string, string>> | string;
  /** Where `candlekeep start` serves HTTP. Default `127.0.0.1:4680`. */
  readonly listen?: string;
  readonly metrics?: { /** Serve /metrics without a token. */ readonly open?: boolean };
}

/** Types the default export of a `candlekeep.config.ts`; returns its argument. */
export const defineConfig = (config: CandlekeepConfig): CandlekeepConfig => config;
