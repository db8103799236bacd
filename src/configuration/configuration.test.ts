import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { choiceText } from '../domain/symbol-selector.ts';
import { realFiles } from '../platform/node/disk-files.ts';
import { defaultExportOf } from '../platform/node/module-file.ts';
import { ADAPTERS } from '../exchanges/registry.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { loadConfiguration, type Configuration, type ConfigurationSources } from './configuration.ts';
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
import { OPTION_KEYS, pathOf, urlKey, type OptionKey } from './options.ts';
import {
  readAssetNames,
  readDuration,
  readExchanges,
  readFlag,
  readIntervals,
  readLogLevel,
  readOrigin,
  readMarkets,
  readRepo,
  readShare,
  readSymbol,
  readText,
} from './setting-values.ts';

const SECRET = 'hf_nobodyMayReadThis';
const JSON_FILE = 'candlekeep.config.json';

function directoryWith(files: Readonly<Record<string, string>> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'candlekeep-config-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

const load = (over: Partial<ConfigurationSources> = {}): Promise<Configuration> =>
  loadConfiguration({
    cwd: over.cwd ?? directoryWith(),
    env: {},
    file: null,
    flags: {},
    files: realFiles,
    defaultExportOf,
    ...over,
  });

async function refusal(over: Partial<ConfigurationSources>): Promise<ConfigurationError> {
  const error: unknown = await load(over).then(
    () => 'accepted',
    (reason: unknown) => reason,
  );
  if (error instanceof ConfigurationError) return error;
  throw new Error('not refused as a configuration error', { cause: error });
}

const inForce = ({ inForce: options }: Configuration, key: OptionKey) => options.find((option) => option.key === key);

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
  ...[...ADAPTERS.keys()].map(
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
/** A configuration file with these options at their places. */
const fileOf = (values: Readonly<Record<string, unknown>>): string => {
  const content: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const [first = '', second] = pathOf(key as OptionKey).split('.');
    content[first] = second === undefined ? value : { ...(content[first] as object | undefined), [second]: value };
  }
  return JSON.stringify(content);
};
/** Never in a configuration file. */
const SECRETS = [
  ['hfToken', 'HF_TOKEN', 'x'],
  ['slackWebhookUrl', 'SLACK_WEBHOOK_URL', 'https://slack.test/x'],
  ['pagerdutyRoutingKey', 'PAGERDUTY_ROUTING_KEY', 'key'],
  ['smtpUrl', 'SMTP_URL', 'smtp://mail.test'],
  ['alertWebhookUrl', 'ALERT_WEBHOOK_URL', 'https://hook.test'],
  ['alertWebhookSecret', 'ALERT_WEBHOOK_SECRET', 'x'],
  ['heartbeatUrl', 'HEARTBEAT_URL', 'https://hc.test/x'],
  ['token', 'CANDLEKEEP_TOKEN', 'x'],
] as const;
const MASKED = new Set<OptionKey>(['httpsProxy', 'egress']);
const HUB_ENV = {
  HF_TOKEN: SECRET,
  CANDLEKEEP_HF_REPO: 'own/base',
  PAGERDUTY_ROUTING_KEY: 'key',
  SMTP_URL: 'smtp://mail.test',
  ALERT_EMAIL_TO: 'own@base.test',
};

test('every option is in the table below, and without file, environment and flags each has its default', async () => {
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

test('a token comes from the variable, from the file the variable names, or from a flag, and is shown by none of them', async () => {
  const cwd = directoryWith({ 'secrets/token': `${SECRET}\n` });
  const hub = { CANDLEKEEP_HF_REPO: 'own/candles' };
  const ways = [
    await load({ cwd, env: { ...hub, HF_TOKEN: SECRET } }),
    await load({ cwd, env: { ...hub, HF_TOKEN: 'other', HF_TOKEN_FILE: join(cwd, 'secrets/token') } }),
    await load({ cwd, env: { ...hub, HF_TOKEN_FILE: 'secrets/token' } }),
    await load({ cwd, env: { ...hub, HF_TOKEN: 'other' }, flags: { hfToken: SECRET } }),
  ];
  expect(ways.map(({ settings }) => settings.hub?.token)).toEqual(ways.map(() => SECRET));
  expect(ways.map((way) => inForce(way, 'hfToken')?.source)).toEqual([
    'environment',
    'environment',
    'environment',
    'flag',
  ]);
  expect(JSON.stringify(ways.map(({ inForce: options }) => options))).not.toContain(SECRET);
  expect(ways.map((way) => inForce(way, 'hfToken')?.value)).toEqual(ways.map(() => '********'));
});

test.each([
  ['missing', 'nowhere/token'],
  ['a directory', 'secrets'],
  ['empty', 'secrets/empty'],
])('a token file that is %s is refused by name', async (_, path) => {
  const { message } = await refusal({ cwd: directoryWith({ 'secrets/empty': ' \n' }), env: { HF_TOKEN_FILE: path } });
  expect(message).toMatch(/^HF_TOKEN_FILE: expected /);
  if (path !== 'secrets/empty') expect(message).toContain(path);
});

test.each([
  ['beside a bad value', { env: { HF_TOKEN: SECRET, CANDLEKEEP_INTERVAL: '7h' } }, {}],
  ['as an option of the file', {}, { [JSON_FILE]: JSON.stringify({ hfToken: SECRET }) }],
  ['without quotes in broken JSON', {}, { [JSON_FILE]: `{"hfToken": ${SECRET}}` }],
  ['as all there is in a file', {}, { [JSON_FILE]: SECRET }],
  ['as the password of an origin', { env: { CANDLEKEEP_BINANCE_URL: `https://me:${SECRET}@mirror.test` } }, {}],
  ['as the password of an origin without user', { env: { HF_ENDPOINT: `https://:${SECRET}@mirror.test` } }, {}],
  ['as the password of an origin that is none', { env: { HF_ENDPOINT: `https://me:${SECRET}/x@mirror.test` } }, {}],
])('a secret %s is not in the message', async (_, over, files) => {
  const { message } = await refusal({ cwd: directoryWith(files), ...over });
  for (let at = 0; at + 6 <= SECRET.length; at++) expect(message).not.toContain(SECRET.slice(at, at + 6));
});

test('a repository without a token is refused, a token without a repository is not', async () => {
  expect((await refusal({ env: { CANDLEKEEP_HF_REPO: 'own/candles' } })).message).toBe(
    'HF_TOKEN: expected a token that may write to own/candles, got nothing',
  );
  expect((await load({ env: { HF_TOKEN: SECRET } })).settings.hub).toBeNull();
});

test.each([
  ['CANDLEKEEP_SYMBLS', 'CANDLEKEEP_SYMBLS is not a variable of Candlekeep; did you mean CANDLEKEEP_SYMBOLS?'],
  ['CANDLEKEEP_HF_TOKEN', 'CANDLEKEEP_HF_TOKEN is not a variable of Candlekeep; did you mean HF_TOKEN?'],
  ['CANDLEKEEP_PASSWORDS', 'CANDLEKEEP_PASSWORDS is not a variable of Candlekeep'],
])('%s is warned about and its value is not shown', async (name, warning) => {
  expect((await load({ env: { [name]: SECRET, SYMBLS: 'x' } })).warnings).toEqual([warning]);
});

test('an unknown key in a file is refused with the path and the nearest key', async () => {
  const cwd = directoryWith({ [JSON_FILE]: '{"symbls": "BTC/USDT"}' });
  const { facts } = await refusal({ cwd });
  expect(facts).toMatchObject({ where: `${join(cwd, JSON_FILE)} symbls`, nearest: 'symbols' });
});

test.each([
  ['broken JSON', JSON_FILE, '{"interval": "1h",}'],
  ['an empty file', JSON_FILE, ''],
  ['a list', JSON_FILE, '[{"interval": "1h"}]'],
  ['null', JSON_FILE, 'null'],
  ['a text', JSON_FILE, '"1h"'],
  ['a module without default export', 'candlekeep.config.mjs', 'export const interval = "1h";'],
  ['a module that exports a list', 'candlekeep.config.mjs', 'export default ["1h"];'],
  ['a module that throws', 'candlekeep.config.mjs', 'throw new Error("not\\ntoday");'],
  ['a module that throws no error', 'candlekeep.config.mjs', 'throw null;'],
  ['a module that does not parse', 'candlekeep.config.ts', 'export default {'],
  ['a directory', `${JSON_FILE}/x`, ''],
])('%s as configuration file is refused with its path', async (_, name, text) => {
  const cwd = directoryWith({ [name]: text });
  const { code, facts } = await refusal({ cwd });
  expect(code).toBe('CONFIG_INVALID');
  expect(facts.where).toBe(join(cwd, name.replace(/\/x$/, '')));
});

test('a list is called a list', async () => {
  expect((await refusal({ cwd: directoryWith({ [JSON_FILE]: '[]' }) })).facts.got).toBe('a list');
});

test('a TypeScript module gives the options, lists and numbers included; --config names another file', async () => {
  const cwd = directoryWith({
    'candlekeep.config.ts':
      'const share: number = 0.5;\nexport default { rateShare: share, symbols: ["eth-usdt", "BTCUSDT"], dataDir: "data" };',
    'other.json': '{"rateShare": "0.25"}',
  });
  const { settings } = await load({ cwd });
  expect(settings).toMatchObject({ rateShare: 0.5, dataDir: join(cwd, 'data') });
  expect(settings.markets.get('binance')).toEqual(['ETH/USDT', 'BTC/USDT']);
  expect((await load({ cwd, file: 'other.json' })).settings.rateShare).toBe(0.25);
  expect((await refusal({ cwd, file: 'none.json' })).message).toContain(join(cwd, 'none.json'));
});

test('any amount above zero with a unit is a duration of that length', () => {
  const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
  const unit = fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[]));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999_999 }), unit, fc.constantFrom('', ' '), (amount, name, space) => {
      expect(readDuration(`${space}${amount}${name}${space}`, 'deadline')).toBe(amount * units[name]);
    }),
  );
  expect(readDuration('1.5s', 'deadline')).toBe(1_500);
});

test.each(['', '0s', '0.0h', '-1s', '5', '5 m', '5d', '1e3s', 'Infinityms', '9999999999s', '5m5s'])(
  '%j is no duration',
  (text) => {
    expect(() => readDuration(text, 'deadline')).toThrow(ConfigurationError);
  },
);

const READERS = {
  readAddress,
  readAddresses,
  readAssetNames,
  readChannels,
  readFlag,
  readInstance,
  readListen,
  readSecret,
  readSmtpUrl,
  readTags,
  readUrl,
  readDuration,
  readExchanges,
  readIntervals,
  readLogLevel,
  readOrigin,
  readMarkets,
  readRepo,
  readShare,
  readSymbol,
  readText,
};

test.each(Object.entries(READERS))('%s takes a value or refuses it by name, and never crashes', (_, read) => {
  const strange = fc.oneof(
    fc.anything({ withBigInt: true, withNullPrototype: true, withDate: true, withMap: true, withSparseArray: true }),
    fc.string({ unit: 'binary' }),
    fc.constant({ toString: 1 }),
  );
  fc.assert(
    fc.property(strange, (raw) => {
      try {
        read(raw, 'the-place');
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigurationError);
        expect((error as ConfigurationError).facts.where).toMatch(/^the-place/);
      }
    }),
  );
});

test('what is not written as a duration is refused', () => {
  fc.assert(
    fc.property(
      fc
        .anything({ withBigInt: true })
        .filter((raw) => typeof raw !== 'string' || !/^\s*[\d.]+(ms|s|m|h)\s*$/.test(raw)),
      (raw) => {
        expect(() => readDuration(raw, 'deadline')).toThrow(ConfigurationError);
      },
    ),
  );
});

test('a share lies above 0 and is at most 1', () => {
  expect([1, '1', 0.001, ' 0.5 ', Number.MIN_VALUE].map((raw) => readShare(raw, 'rateShare'))).toEqual([
    1,
    1,
    0.001,
    0.5,
    Number.MIN_VALUE,
  ]);
  for (const raw of [0, -0, -0.1, 1.000_001, 90, Number.NaN, Infinity, '', ' ', 'half', '50%', null, [0.5], true])
    expect(() => readShare(raw, 'rateShare')).toThrow('rateShare: expected a number above 0 and at most 1');
});

test.each([
  'https://api.test/api',
  'https://api.test/?a=1',
  'https://api.test/#a',
  'https://me@api.test',
  'ftp://api.test',
  'api.test',
  'api.test:443',
  '//api.test',
  '',
])('%j is no origin', (text) => {
  expect(() => readOrigin(text, 'CANDLEKEEP_BINANCE_URL')).toThrow(/^CANDLEKEEP_BINANCE_URL: expected an origin/);
});

test('a trailing slash after an origin is forgiven', () => {
  expect(
    ['https://api.test/', ' http://127.0.0.1:8080 ', 'HTTPS://API.test:443'].map((text) =>
      readOrigin(text, 'hfEndpoint'),
    ),
  ).toEqual(['https://api.test', 'http://127.0.0.1:8080', 'https://api.test']);
});

test('every spelling of a symbol is the same symbol, once', async () => {
  const pair = fc.tuple(
    fc.constantFrom('BTC', 'ETH', 'DOGE', '1INCH', 'W', 'FDUSD'),
    fc.constantFrom('USDT', 'USDC', 'EUR', 'TRY'),
  );
  fc.assert(
    fc.property(pair, fc.mixedCase(fc.constant('binance')), ([base, quote], exchange) => {
      const spellings = ['/', '-', ''].flatMap((sign) => [
        `${base}${sign}${quote}`,
        `${base}${sign}${quote}`.toLowerCase(),
      ]);
      const written = [...spellings, ...spellings.map((one) => `${exchange}: ${one}`)].join(' , ');
      expect(new Set(readMarkets(written, 'symbols').map(({ choice }) => choiceText(choice)))).toEqual(
        new Set([`${base}/${quote}`]),
      );
    }),
  );
  const { settings } = await load({ flags: { symbols: 'btcusdt,ETH-USDT,BTC/USDT,binance:BTC-USDT' } });
  expect(settings.markets.get('binance')).toEqual(['BTC/USDT', 'ETH/USDT']);
});

test('a symbol with an exchange before it is of that exchange alone', async () => {
  const exchanges = [...ADAPTERS.keys()];
  const { settings } = await load({ flags: { exchanges: exchanges.join(','), symbols: 'binance:BTC/USDT,ETH/USDT' } });
  expect([...settings.markets]).toEqual(
    exchanges.map((exchange) => [exchange, exchange === 'binance' ? ['BTC/USDT', 'ETH/USDT'] : ['ETH/USDT']]),
  );
  expect(readMarkets('binance:BTC/USDT,ETH/USDT', 'symbols').map(({ exchange }) => exchange)).toEqual([
    'binance',
    null,
  ]);
});

test.each([
  'BTC',
  'BTC/USDT/X',
  'BTC USDT',
  'krakn:BTC/USDT',
  ':',
  ',',
  '../../etc',
  'top:',
  'top:0',
  'top:1001',
  'top:ten',
  'binance:',
  '*',
  '*USDT',
  '*/',
  'a:b:*/USDT',
  'binance:binance:top:5',
])('%j names no market', (text) => {
  expect(() => readMarkets(text, '--symbol')).toThrow(/^--symbol: expected /);
});

test.each([
  ['*/usdt', null, '*/USDT'],
  ['binance:*-USDT', 'binance', '*/USDT'],
  ['BTC/*', null, 'BTC/*'],
  ['TOP:50', null, 'top:50:USDT'],
  ['okx:top:20:usdc', 'okx', 'top:20:USDC'],
  ['Binance:top:5', 'binance', 'top:5:USDT'],
])('%s is a choice that the exchange answers', (text, exchange, choice) => {
  expect(readMarkets(text, 'symbols').map((one) => [one.exchange, choiceText(one.choice)])).toEqual([
    [exchange, choice],
  ]);
});

test('where one symbol is wanted, lists, patterns and rankings are refused', () => {
  expect(readSymbol('okx:btc-usdt', '<symbol>')).toEqual({ exchange: 'okx', symbol: 'BTC/USDT' });
  for (const text of ['BTC/USDT,ETH/USDT', '*/USDT', 'top:1'])
    expect(() => readSymbol(text, '<symbol>')).toThrow('<symbol>: expected one symbol');
});

test('patterns are no symbols of the settings, they stand in the choices', async () => {
  const { settings, choices } = await load({
    flags: { exchanges: 'binance,okx', symbols: 'BTC/USDT,okx:top:3,*/EUR' },
  });
  expect([...settings.markets]).toEqual([
    ['binance', ['BTC/USDT']],
    ['okx', ['BTC/USDT']],
  ]);
  expect([...choices].map(([exchange, own]) => [exchange, own.map(choiceText)])).toEqual([
    ['binance', ['BTC/USDT', '*/EUR']],
    ['okx', ['BTC/USDT', 'top:3:USDT', '*/EUR']],
  ]);
});

test('an exchange that states no quote volumes has no ranking: refused in one line that names those that have', async () => {
  expect((await refusal({ flags: { exchanges: 'binance,coinbase', symbols: 'top:50' } })).message).toBe(
    '--symbols: expected top:N at an exchange that states volumes in quote currency (binance, okx), got top:50:USDT at coinbase',
  );
  expect((await refusal({ flags: { exchanges: 'coinbase', symbols: 'coinbase:top:20' } })).message).toContain(
    'got top:20:USDT at coinbase',
  );
});

test('symbols of an exchange that is not configured are left out with a warning, and refused when nothing else is left', async () => {
  const { warnings } = await load({ flags: { symbols: 'BTC/USDT,coinbase:BTC/USD' } });
  expect(warnings).toEqual([
    'coinbase:BTC/USD is left out: coinbase is not among the configured exchanges (CANDLEKEEP_EXCHANGES)',
  ]);
  expect((await refusal({ env: { CANDLEKEEP_SYMBOLS: 'coinbase:BTC/USD' } })).message).toBe(
    'CANDLEKEEP_SYMBOLS: expected symbols of binance, got coinbase:BTC/USD',
  );
});

test('an egress may be an object in a file, and what is neither a proxy nor an address is refused without being shown', async () => {
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

test('a certificate file is read, and one that is not there is named', async () => {
  const cwd = directoryWith({ 'ca.pem': 'certificate' });
  expect((await load({ cwd, env: { CANDLEKEEP_CA_FILE: 'ca.pem' } })).settings.network.caPem).toBe('certificate');
  await expect(load({ cwd, env: { CANDLEKEEP_CA_FILE: 'none.pem' } })).rejects.toThrow(/CANDLEKEEP_CA_FILE/);
});

test('a candle length that a venue does not have is left out with a warning, and refused when nothing is left', async () => {
  const both = await load({ env: { CANDLEKEEP_EXCHANGES: 'binance,coinbase', CANDLEKEEP_INTERVAL: '4h' } });
  expect(both.warnings).toEqual(['coinbase has no 4h candles; those series are left out']);
  await expect(load({ env: { CANDLEKEEP_EXCHANGES: 'coinbase', CANDLEKEEP_INTERVAL: '4h' } })).rejects.toThrow(
    /4h at coinbase/,
  );
});

test.each(SECRETS)(
  '%s belongs into the environment: a file that holds it is refused without being quoted',
  async (key, env, value) => {
    const { message } = await refusal({
      cwd: directoryWith({ [JSON_FILE]: JSON.stringify({ [key]: `${value}${SECRET}` }) }),
    });
    expect(message).toContain(`expected secrets in the environment (${env} or ${env}_FILE), got one in the file`);
    expect(message).not.toContain(SECRET);
  },
);

test.each([
  ['SLACK_WEBHOOK_URL'],
  ['SMTP_URL'],
  ['ALERT_WEBHOOK_URL'],
  ['HEARTBEAT_URL'],
  ['CANDLEKEEP_ALERT_CHANNELS'],
])('%s that cannot be used is refused without being quoted', async (env) => {
  expect((await refusal({ env: { [env]: SECRET } })).message).toMatch(
    new RegExp(`^${env}: expected .*got "something else"$`),
  );
});

test('the variables make the default channels; entries of alerts.channels have their own names, and name variables instead of holding keys', async () => {
  const cwd = directoryWith({
    [JSON_FILE]: JSON.stringify({
      tags: { team: 'data', alert_channel: 'data-slack' },
      alerts: {
        channels: {
          'data-slack': { kind: 'slack', url: '$TEAM_SLACK' },
          night: { kind: 'email', smtpUrl: '$MAIL', to: 'a@b.test', default: true },
        },
      },
    }),
  });
  const env = {
    SLACK_WEBHOOK_URL: `https://slack.test/${SECRET}`,
    PAGERDUTY_ROUTING_KEY: SECRET,
    ALERT_WEBHOOK_URL: 'https://hook.test/in',
    ALERT_WEBHOOK_SECRET: SECRET,
    HEARTBEAT_URL: 'https://hc.test/x',
    TEAM_SLACK: 'https://slack.test/team',
    MAIL: 'smtp://mail.test',
  };
  const { settings, inForce: options } = await load({ cwd, env });
  expect(settings.alerts.channels.map(({ name, kind, isDefault }) => [name, kind, isDefault])).toEqual([
    ['pagerduty', 'pagerduty', true],
    ['slack', 'slack', true],
    ['webhook', 'webhook', true],
    ['data-slack', 'slack', false],
    ['night', 'email', true],
  ]);
  expect(settings.alerts.channels.at(-1)).toMatchObject({
    to: ['a@b.test'],
    from: 'a@b.test',
    smtpUrl: 'smtp://mail.test',
  });
  expect(settings.alerts.heartbeatUrl).toBe('https://hc.test/x');
  expect(JSON.stringify(options)).not.toMatch(new RegExp(`${SECRET}|TEAM_SLACK|slack\\.test`));
  expect((await refusal({ cwd, env: { ...env, MAIL: '' } })).message).toContain(
    'alerts.channels.night.smtpUrl: expected the variable MAIL to be set, got nothing',
  );
  expect(
    (
      await refusal({
        env: { ...env, CANDLEKEEP_ALERT_CHANNELS: '{"slack": {"kind": "slack", "url": "https://x.test"}}' },
      })
    ).message,
  ).toContain('got slack');
});

test.each([
  [
    '{"a": {"kind": "pager"}}',
    'CANDLEKEEP_ALERT_CHANNELS.a.kind: expected slack, pagerduty, email, webhook, got "pager"',
  ],
  ['{"a": {"kind": "slack"}}', 'CANDLEKEEP_ALERT_CHANNELS.a.url: expected an http(s) URL, got "something else"'],
  ['{"a": {"kind": "slack", "url": "https://x.test", "routing": "x"}}', 'only kind, default, url, got "routing"'],
  ['{"a b": {"kind": "slack"}}', 'names of letters'],
  [
    '{"a": {"kind": "email", "smtpUrl": "smtp://x.test", "to": "nobody"}}',
    'CANDLEKEEP_ALERT_CHANNELS.a.to: expected an e-mail address, got "nobody"',
  ],
])('channels %s are refused at their place', async (text, names) => {
  expect((await refusal({ env: { CANDLEKEEP_ALERT_CHANNELS: text } })).message).toContain(names);
});

test('an SMTP address without recipients is warned about', async () => {
  expect((await load({ env: { SMTP_URL: 'smtp://mail.test' } })).warnings).toEqual([
    'SMTP_URL is set but ALERT_EMAIL_TO is not: no e-mail is sent',
  ]);
});
