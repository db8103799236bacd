import { PAGERDUTY_URL } from '../alerting/model/settings.ts';
import type { ChannelSettings } from '../alerting/model/settings.ts';
import { isFields, items, readFlag, readText, refuse, type ValueReader } from './setting-values.ts';

/** Stands for a secret value in an error message. */
const HIDDEN = 'something else';

const readUrlOf =
  (protocols: RegExp, expected: string): ValueReader<string> =>
  (raw, where) => {
    const text = typeof raw === 'string' ? raw.trim() : '';
    return protocols.test(URL.parse(text)?.protocol ?? '') ? text : refuse(where, expected, HIDDEN);
  };

/** An address that may itself be the key. */
export const readUrl = readUrlOf(/^https?:$/, 'an http(s) URL');
export const readSmtpUrl = readUrlOf(/^smtps?:$/, 'smtp://user:password@host:587 or smtps://...');
export const readSecret: ValueReader<string> = (raw, where) =>
  typeof raw === 'string' && raw.trim() !== '' ? raw.trim() : refuse(where, 'a key', HIDDEN);

const ADDRESS = /^[^\s@<>,]+@[^\s@<>,]+$/;
export const readAddress: ValueReader<string> = (raw, where) =>
  typeof raw === 'string' && ADDRESS.test(raw.trim()) ? raw.trim() : refuse(where, 'an e-mail address', raw);
export const readAddresses: ValueReader<readonly string[]> = (raw, where) =>
  items(raw, where).map((item) => readAddress(item, where));

const WORD = /^[\w.-]{1,64}$/;

/** `team=data,criticality=high,alert_channel=data-slack`, or an object. */
export const readTags: ValueReader<Readonly<Record<string, string>>> = (raw, where) => {
  const expected = 'tags such as team=data,criticality=high';
  const pairs =
    typeof raw === 'string'
      ? raw.split(',').map((pair) => pair.split('=').map((part) => part.trim()))
      : isFields(raw)
        ? Object.entries(raw)
        : refuse(where, expected, raw);
  for (const [name, value, ...rest] of pairs)
    if (!WORD.test(String(name)) || typeof value !== 'string' || value === '' || value.length > 200 || rest.length > 0)
      return refuse(where, expected, raw);
  return Object.fromEntries(pairs) as Record<string, string>;
};

/** `127.0.0.1:4680`, `[::1]:4680`. Port 0 takes any free port. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export const readListen: ValueReader<ListenAddress> = (raw, where) => {
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(typeof raw === 'string' ? raw.trim() : '') ?? [];
  return host !== undefined && Number(port) <= 65_535
    ? { host: host.replaceAll(/[[\]]/g, ''), port: Number(port) }
    : refuse(where, 'host:port such as 127.0.0.1:4680', raw);
};

/**
 * Entries of `alerts.channels` by name. A channel gets alerts whose `alert_channel` tag names it, with `default: true`
 * all alerts of its level. A variable holds them as JSON text.
 */
export const readChannels: ValueReader<readonly ChannelSettings[]> = (raw, where) => {
  const entries = typeof raw === 'string' ? parsed(raw, where) : raw;
  if (!isFields(entries)) return refuse(where, 'an object of channels by name', HIDDEN);
  return Object.entries(entries).map(([name, entry]) => {
    if (!WORD.test(name)) return refuse(where, 'names of letters, digits, dots, dashes', name);
    return readChannel({ name, entry, where: `${where}.${name}` });
  });
};

function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return refuse(where, 'JSON', HIDDEN); // V8 quotes the text, which holds keys
  }
}

/** Keys of each kind of channel besides `kind` and `default`. */
const CHANNEL_KEYS = {
  slack: ['url'],
  pagerduty: ['routingKey', 'url'],
  email: ['smtpUrl', 'from', 'to'],
  webhook: ['url', 'secret'],
} as const satisfies Readonly<Record<ChannelSettings['kind'], readonly string[]>>;
const CHANNEL_KINDS = Object.keys(CHANNEL_KEYS) as readonly ChannelSettings['kind'][];

function readChannel({
  name,
  entry,
  where,
}: {
  readonly name: string;
  readonly entry: unknown;
  readonly where: string;
}): ChannelSettings {
  const fields = isFields(entry) ? entry : refuse(where, `an object with kind: ${CHANNEL_KINDS.join(', ')}`, HIDDEN);
  const kind =
    CHANNEL_KINDS.find((one) => one === fields['kind']) ??
    refuse(`${where}.kind`, CHANNEL_KINDS.join(', '), fields['kind']);
  const stray = Object.keys(fields).find((key) => !['kind', 'default', ...CHANNEL_KEYS[kind]].includes(key));
  if (stray !== undefined) return refuse(where, `only ${['kind', 'default', ...CHANNEL_KEYS[kind]].join(', ')}`, stray);
  const read = <T>(key: string, reader: ValueReader<T>): T => reader(fields[key], `${where}.${key}`);
  const optional = <T>(key: string, reader: ValueReader<T>, fallback: T): T =>
    fields[key] === undefined || fields[key] === null ? fallback : read(key, reader);
  const common = { name, isDefault: optional('default', readFlag, false) };
  switch (kind) {
    case 'slack':
      return { ...common, kind, url: read('url', readUrl) };
    case 'pagerduty':
      return {
        ...common,
        kind,
        routingKey: read('routingKey', readSecret),
        url: optional('url', readUrl, PAGERDUTY_URL),
      };
    case 'email': {
      const to = read('to', readAddresses);
      return {
        ...common,
        kind,
        smtpUrl: read('smtpUrl', readSmtpUrl),
        to,
        from: optional('from', readAddress, to[0] ?? ''),
      };
    }
    case 'webhook':
      return {
        ...common,
        kind,
        url: read('url', readUrl),
        secret: optional<string | null>('secret', readSecret, null),
      };
    default:
      return kind satisfies never;
  }
}

export const readInstance: ValueReader<string> = (raw, where) => {
  const text = readText(raw, where);
  return WORD.test(text) ? text : refuse(where, 'a short name of letters, digits, dots, dashes', raw);
};
