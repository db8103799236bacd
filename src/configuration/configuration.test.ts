import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXCHANGES } from '../exchanges/registry.ts';
import { ConfigurationError } from '../errors/errors.ts';
import type { Configuration } from './configuration.ts';
import { OPTION_KEYS, urlKey, type OptionKey } from './options.ts';
import {
  SECRET,
  JSON_FILE,
  directoryWith,
  load,
  inForce,
  fileOf,
  SECRETS,
} from '../../tests/support/command-line/configuration-harness.ts';

interface OptionCase {
  readonly key: OptionKey;
  readonly env: string;
  /** As written in the file, the environment and the flag. */
  readonly written: readonly [file: string, env: string, flag: string];
  /** What each of them does; the written text itself where it is left out. */
  readonly read?: readonly [file: unknown, env: unknown, flag: unknown];
  readonly effect: (configuration: Configuration) => unknown;
}

const OPTION_CASES: readonly OptionCase[] = [
  {
    key: 'dataDir',
    env: 'CANDLEKEEP_DATA_DIR',
    written: ['/in/file', '/in/env', '/in/flag'],
    effect: ({ settings }) => settings.dataDir,
  },
  {
    key: 'exchanges',
    env: 'CANDLEKEEP_EXCHANGES',
    written: ['binance', 'okx', 'Coinbase'],
    read: [['binance'], ['okx'], ['coinbase']],
    effect: ({ settings }) => [...settings.markets.keys()],
  },
  {
    key: 'symbols',
    env: 'CANDLEKEEP_SYMBOLS',
    written: ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'],
    read: [['BTC/USDT'], ['ETH/USDT'], ['SOL/USDT']],
    effect: ({ settings }) => settings.markets.get('binance'),
  },
  {
    key: 'interval',
    env: 'CANDLEKEEP_INTERVAL',
    written: ['1m', '4h,1m', '1d'],
    read: [['1m'], ['4h', '1m'], ['1d']],
    effect: ({ settings }) => settings.intervals,
  },
  {
    key: 'requestTimeout',
    env: 'CANDLEKEEP_REQUEST_TIMEOUT',
    written: ['1s', '2s', '3s'],
    read: [1_000, 2_000, 3_000],
    effect: ({ settings }) => settings.requestTimeoutMs,
  },
  {
    key: 'deadline',
    env: 'CANDLEKEEP_DEADLINE',
    written: ['1m', '2m', '3m'],
    read: [60_000, 120_000, 180_000],
    effect: ({ settings }) => settings.deadlineMs,
  },
  {
    key: 'recheckAfter',
    env: 'CANDLEKEEP_RECHECK_AFTER',
    written: ['1h', '2h', '250ms'],
    read: [3_600_000, 7_200_000, 250],
    effect: ({ settings }) => settings.recheckAfterMs,
  },
  {
    key: 'rateShare',
    env: 'CANDLEKEEP_RATE_SHARE',
    written: ['0.1', '0.2', '0.3'],
    read: [0.1, 0.2, 0.3],
    effect: ({ settings }) => settings.rateShare,
  },
  {
    key: 'httpsProxy',
    env: 'HTTPS_PROXY',
    written: ['http://file.test:1', 'http://env.test:1', 'http://flag.test:1'],
    effect: ({ settings }) => settings.network.httpsProxy,
  },
  {
    key: 'noProxy',
    env: 'NO_PROXY',
    written: ['file.test', 'env.test', 'flag.test'],
    effect: ({ settings }) => settings.network.noProxy,
  },
  {
    key: 'egress',
    env: 'CANDLEKEEP_EGRESS',
    written: ['home=10.0.0.1', 'office=http://proxy.test:3128', 'six=::1'],
    read: [
      { name: 'home', localAddress: '10.0.0.1' },
      { name: 'office', proxyUrl: 'http://proxy.test:3128' },
      { name: 'six', localAddress: '::1' },
    ],
    effect: ({ settings }) => settings.network.egress,
  },
  {
    key: 'hfRepo',
    env: 'CANDLEKEEP_HF_REPO',
    written: ['own/file', 'own/env', 'own/flag'],
    effect: ({ settings }) => settings.hub?.repo,
  },
  {
    key: 'hfEndpoint',
    env: 'HF_ENDPOINT',
    written: ['http://file.test', 'http://env.test', 'http://flag.test'],
    effect: ({ settings }) => settings.hub?.endpoint,
  },
  { key: 'logLevel', env: 'LOG_LEVEL', written: ['debug', 'info', 'error'], effect: ({ logLevel }) => logLevel },
  {
    key: 'pagerdutyEventsUrl',
    env: 'PAGERDUTY_EVENTS_URL',
    written: ['http://file.test/x', 'http://env.test/x', 'http://flag.test/x'],
    effect: ({ settings }) => channel(settings, 'pagerduty')?.url,
  },
  {
    key: 'alertEmailTo',
    env: 'ALERT_EMAIL_TO',
    written: ['a@file.test', 'a@env.test,b@env.test', 'a@flag.test'],
    read: [['a@file.test'], ['a@env.test', 'b@env.test'], ['a@flag.test']],
    effect: ({ settings }) => channel(settings, 'email')?.to,
  },
  {
    key: 'alertEmailFrom',
    env: 'ALERT_EMAIL_FROM',
    written: ['c@file.test', 'c@env.test', 'c@flag.test'],
    effect: ({ settings }) => channel(settings, 'email')?.from,
  },
  {
    key: 'criticalAssets',
    env: 'CANDLEKEEP_CRITICAL_ASSETS',
    written: ['bronze_okx_ohlcv', 'silver_ohlcv_normalized', 'gold_huggingface_ohlcv'],
    read: [['bronze_okx_ohlcv'], ['silver_ohlcv_normalized'], ['gold_huggingface_ohlcv']],
    effect: ({ settings }) => settings.alerts.criticalAssets,
  },
  {
    key: 'instance',
    env: 'CANDLEKEEP_INSTANCE',
    written: ['file', 'env', 'flag'],
    effect: ({ settings }) => settings.alerts.instance,
  },
  {
    key: 'runbookUrl',
    env: 'CANDLEKEEP_RUNBOOK_URL',
    written: ['https://file.test/', 'https://env.test/r', 'https://flag.test'],
    read: ['https://file.test', 'https://env.test/r', 'https://flag.test'],
    effect: ({ settings }) => settings.alerts.runbookUrl,
  },
  {
    key: 'tags',
    env: 'CANDLEKEEP_TAGS',
    written: ['team=file', 'team=env, criticality=high', 'team=flag'],
    read: [{ team: 'file' }, { team: 'env', criticality: 'high' }, { team: 'flag' }],
    effect: ({ settings }) => settings.tags,
  },
  {
    key: 'listen',
    env: 'CANDLEKEEP_LISTEN',
    written: ['127.0.0.1:1', '[::1]:2', 'localhost:0'],
    read: [
      { host: '127.0.0.1', port: 1 },
      { host: '::1', port: 2 },
      { host: 'localhost', port: 0 },
    ],
    effect: ({ server }) => server.listen,
  },
  {
    key: 'metricsOpen',
    env: 'CANDLEKEEP_METRICS_OPEN',
    written: ['true', 'false', 'true'],
    read: [true, false, true],
    effect: ({ server }) => server.isMetricsOpen,
  },
  ...[...EXCHANGES.keys()].map(
    (exchange): OptionCase => ({
      key: urlKey(exchange),
      env: `CANDLEKEEP_${exchange.toUpperCase()}_URL`,
      written: ['http://file.test', 'http://env.test', 'http://flag.test'],
      effect: ({ settings }) => settings.origins[exchange],
    }),
  ),
];
const channel = ({ alerts }: Configuration['settings'], kind: string) =>
  alerts.channels.find((one) => one.kind === kind) as Record<string, unknown> | undefined;

const MASKED = new Set<OptionKey>(['httpsProxy', 'egress']);
const HUB_ENV = {
  HF_TOKEN: SECRET,
  CANDLEKEEP_HF_REPO: 'own/base',
  PAGERDUTY_ROUTING_KEY: 'key',
  SMTP_URL: 'smtp://mail.test',
  ALERT_EMAIL_TO: 'own@base.test',
};

test('the table covers every option; without file, environment and flags each has its default', async () => {
  const { inForce: options } = await load();
  expect(options.map(({ key, env }) => `${key} ${env}`)).toEqual(
    expect.arrayContaining(OPTION_CASES.map(({ key, env }) => `${key} ${env}`)),
  );
  expect(options.map(({ key }) => key).filter((key) => !OPTION_CASES.some((one) => one.key === key))).toEqual(
    ['caFile', ...SECRETS.map(([key]) => key), 'alertChannels'].toSorted(
      (a, b) => OPTION_KEYS.indexOf(a as OptionKey) - OPTION_KEYS.indexOf(b as OptionKey),
    ),
  );
  expect(new Set(options.map(({ source }) => source))).toEqual(new Set(['default']));
});

test.each(OPTION_CASES)(
  '$key: the environment wins over the file, the flag over both, and each is named as the source',
  async ({ key, env, written, read = written, effect }) => {
    const cwd = directoryWith({ [JSON_FILE]: fileOf({ [key]: written[0] }) });
    const byFile = { cwd, env: { ...HUB_ENV, [env]: undefined } };
    const byEnv = { cwd, env: { ...HUB_ENV, [env]: written[1] } };
    const byFlag = { ...byEnv, flags: { [key]: written[2] } };
    const sources = [join(cwd, JSON_FILE), 'environment', 'flag'];
    for (const [at, over] of [byFile, byEnv, byFlag].entries()) {
      const configuration = await load(over);
      expect(inForce(configuration, key)).toEqual({
        key,
        env,
        value: MASKED.has(key) ? '********' : written[at],
        source: sources[at],
      });
      expect(effect(configuration)).toEqual(read[at]);
    }
  },
);

test('an empty variable and a null in the file mean unset', async () => {
  const env = Object.fromEntries(
    [...OPTION_CASES.map((one) => one.env), 'HF_TOKEN', 'HF_TOKEN_FILE', 'CANDLEKEEP_STRAY'].map((name) => [name, '']),
  );
  const unset = await load({
    env,
    cwd: directoryWith({ [JSON_FILE]: fileOf(Object.fromEntries(OPTION_CASES.map(({ key }) => [key, null]))) }),
  });
  expect(new Set(unset.inForce.map(({ source }) => source))).toEqual(new Set(['default']));
  expect(unset.warnings).toEqual([]);
});

test.each([
  ['CANDLEKEEP_SYMBLS', 'CANDLEKEEP_SYMBLS is not a variable of Candlekeep; did you mean CANDLEKEEP_SYMBOLS?'],
  ['CANDLEKEEP_HF_TOKEN', 'CANDLEKEEP_HF_TOKEN is not a variable of Candlekeep; did you mean HF_TOKEN?'],
  ['CANDLEKEEP_PASSWORDS', 'CANDLEKEEP_PASSWORDS is not a variable of Candlekeep'],
])('%s is warned about and its value is not shown', async (name, warning) => {
  expect((await load({ env: { [name]: SECRET, SYMBLS: 'x' } })).warnings).toEqual([warning]);
});

test('an egress may be an object in a file; one without proxy or address is refused without being shown', async () => {
  const written = { name: 'office', proxyUrl: 'http://user:hf_nobodyMayReadThis@proxy.test:3128' };
  const { settings, inForce } = await load({
    cwd: directoryWith({ [JSON_FILE]: JSON.stringify({ egress: written }) }),
  });
  expect(settings.network.egress).toEqual(written);
  expect(JSON.stringify(inForce)).not.toContain(SECRET);
  for (const egress of ['', 'home', '=10.0.0.1', `home=${SECRET}`, 'home=ftp://proxy.test', '{}']) {
    const refusal: unknown = await load({ env: { CANDLEKEEP_EGRESS: egress || 'x' } }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigurationError);
    expect(String(refusal)).not.toContain(SECRET);
  }
});
