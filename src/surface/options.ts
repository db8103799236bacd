import { ADAPTERS } from '../data/exchanges/registry.ts';
import {
  readDuration, readEgress, readExchanges, readIntervals, readLogLevel, readOrigin, readRepo, readMarkets, readShare, readText, type ValueReader,
} from './setting-values.ts';

interface Option {
  readonly env: string;
  readonly fallback: string | null;
  readonly read: ValueReader<unknown>;
  readonly isSecret?: boolean;
}

/** Everything that can be configured, once: key in the file, variable, default, reader. */
const FIXED = {
  dataDir: { env: 'CANDLEKEEP_DATA_DIR', fallback: './candlekeep-data', read: readText },
  exchanges: { env: 'CANDLEKEEP_EXCHANGES', fallback: 'binance', read: readExchanges },
  symbols: { env: 'CANDLEKEEP_SYMBOLS', fallback: 'BTC/USDT,ETH/USDT,SOL/USDT', read: readMarkets },
  interval: { env: 'CANDLEKEEP_INTERVAL', fallback: '1h', read: readIntervals },
  requestTimeout: { env: 'CANDLEKEEP_REQUEST_TIMEOUT', fallback: '10s', read: readDuration },
  deadline: { env: 'CANDLEKEEP_DEADLINE', fallback: '5m', read: readDuration },
  recheckAfter: { env: 'CANDLEKEEP_RECHECK_AFTER', fallback: '6h', read: readDuration },
  rateShare: { env: 'CANDLEKEEP_RATE_SHARE', fallback: '0.9', read: readShare },
  httpsProxy: { env: 'HTTPS_PROXY', fallback: null, read: readText, isSecret: true },
  noProxy: { env: 'NO_PROXY', fallback: null, read: readText },
  caFile: { env: 'CANDLEKEEP_CA_FILE', fallback: null, read: readText },
  egress: { env: 'CANDLEKEEP_EGRESS', fallback: null, read: readEgress, isSecret: true },
  hfRepo: { env: 'CANDLEKEEP_HF_REPO', fallback: null, read: readRepo },
  hfToken: { env: 'HF_TOKEN', fallback: null, read: readText, isSecret: true },
  hfEndpoint: { env: 'HF_ENDPOINT', fallback: 'https://huggingface.co', read: readOrigin },
  logLevel: { env: 'LOG_LEVEL', fallback: 'warn', read: readLogLevel },
} as const satisfies Readonly<Record<string, Option>>;

export type FixedKey = keyof typeof FIXED;
/** `binanceUrl`: the origin to ask instead of an exchange's own. */
export type UrlKey = `${string}Url`;
export type OptionKey = FixedKey | UrlKey;

/** What the reader of a fixed option gives. */
export type OptionValue<K extends FixedKey> = ReturnType<(typeof FIXED)[K]['read']>;

export const urlKey = (exchange: string): UrlKey => `${exchange}Url`;
const URLS = Object.fromEntries([...ADAPTERS.keys()].map((exchange): [string, Option] => [urlKey(exchange), { env: `CANDLEKEEP_${exchange.toUpperCase()}_URL`, fallback: null, read: readOrigin }]));

const OPTIONS: Readonly<Record<string, Option>> = { ...FIXED, ...URLS };
export const OPTION_KEYS = Object.keys(OPTIONS) as readonly OptionKey[];

export const isOptionKey = (text: string): text is OptionKey => Object.hasOwn(OPTIONS, text);

export function optionOf(key: OptionKey): Option {
  const option = OPTIONS[key];
  if (option === undefined) throw new RangeError(`${key} is no option`);
  return option;
}

/** A configuration file's content: each key as text, lists as lists too. Secrets belong into the environment. */
export interface CandlekeepConfig {
  /** Where bronze, silver, gold and the state live. Default `./candlekeep-data`. */
  readonly dataDir?: string;
  readonly exchanges?: string | readonly string[];
  // `BTC/USDT` for every exchange, `coinbase:BTC/USD` for one; patterns (`*/USDT`) and rankings by quote volume (`top:50`, `okx:top:20:USDC`).
  readonly symbols?: string | readonly string[];
  /** One or several of `1m 5m 15m 1h 4h 1d`. */
  readonly interval?: string | readonly string[];
  /** Origin to ask instead of the exchange's own; no other host of that exchange is contacted then. */
  readonly [exchangeUrl: UrlKey]: string;
  /** Per attempt, headers and body; `10s`. */
  readonly requestTimeout?: string;
  /** Per page, all attempts; `5m`. */
  readonly deadline?: string;
  /** When a hole is asked for again; `6h`. */
  readonly recheckAfter?: string;
  /** Our share of the venue's limit, above 0 and at most 1. */
  readonly rateShare?: number | string;
  /** A proxy for https; `NO_PROXY` names hosts to reach without it. */
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  /** PEM file with certificates to trust besides the usual ones. */
  readonly caFile?: string;
  /** The way out to the exchanges: through a proxy, or from one of this machine's addresses. */
  readonly egress?: { readonly name: string; readonly proxyUrl: string } | { readonly name: string; readonly localAddress: string } | string;
  /** `owner/name` of your dataset repository on the Hub. */
  readonly hfRepo?: string;
  readonly hfEndpoint?: string;
  readonly logLevel?: string;
}

/** Gives a `candlekeep.config.ts` its types. */
export const defineConfig = (config: CandlekeepConfig): CandlekeepConfig => config;
