import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { realFiles } from '../../../src/platform/node/disk-files.ts';
import { defaultExportOf } from '../../../src/platform/node/module-file.ts';
import { ConfigurationError } from '../../../src/errors/errors.ts';
import {
  loadConfiguration,
  type Configuration,
  type ConfigurationSources,
} from '../../../src/configuration/configuration.ts';
import { pathOf, type OptionKey } from '../../../src/configuration/options.ts';

export const SECRET = 'hf_nobodyMayReadThis';
export const JSON_FILE = 'candlekeep.config.json';

export function directoryWith(files: Readonly<Record<string, string>> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'candlekeep-config-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

export const load = (over: Partial<ConfigurationSources> = {}): Promise<Configuration> =>
  loadConfiguration({
    cwd: over.cwd ?? directoryWith(),
    env: {},
    file: null,
    flags: {},
    files: realFiles,
    defaultExportOf,
    ...over,
  });

export async function refusal(over: Partial<ConfigurationSources>): Promise<ConfigurationError> {
  const error: unknown = await load(over).then(
    () => 'accepted',
    (reason: unknown) => reason,
  );
  if (error instanceof ConfigurationError) return error;
  throw new Error('not refused as a configuration error', { cause: error });
}

export const inForce = ({ inForce: options }: Configuration, key: OptionKey) =>
  options.find((option) => option.key === key);

/** A configuration file with these options at their places. */
export const fileOf = (values: Readonly<Record<string, unknown>>): string => {
  const content: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const [first = '', second] = pathOf(key as OptionKey).split('.');
    content[first] = second === undefined ? value : { ...(content[first] as object | undefined), [second]: value };
  }
  return JSON.stringify(content);
};

/** Never in a configuration file. */
export const SECRETS = [
  ['hfToken', 'HF_TOKEN', 'x'],
  ['slackWebhookUrl', 'SLACK_WEBHOOK_URL', 'https://slack.test/x'],
  ['pagerdutyRoutingKey', 'PAGERDUTY_ROUTING_KEY', 'key'],
  ['smtpUrl', 'SMTP_URL', 'smtp://mail.test'],
  ['alertWebhookUrl', 'ALERT_WEBHOOK_URL', 'https://hook.test'],
  ['alertWebhookSecret', 'ALERT_WEBHOOK_SECRET', 'x'],
  ['heartbeatUrl', 'HEARTBEAT_URL', 'https://hc.test/x'],
  ['token', 'CANDLEKEEP_TOKEN', 'x'],
] as const;
