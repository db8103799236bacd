import { resolve } from 'node:path';
import { choiceText } from '../../../domain/symbol-selector.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure } from '../../open-session.ts';
import { table } from '../../output/console.ts';
import { listDocument, SCHEMA } from '../../output/schema.ts';

const STARTER_CONFIGURATION = {
  dataDir: './candlekeep-data',
  exchanges: ['binance'],
  symbols: ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'],
  interval: '1h',
};

const ENV_FILE = `# Candlekeep: copy to .env and load it with your shell or service manager.
# No key is needed to fetch candles.
# To publish to your own dataset repository on the Hugging Face Hub:
# CANDLEKEEP_HF_REPO=you/your-candles
# HF_TOKEN=hf_...
# To be notified (candlekeep alerts test sends one message through every channel):
# SLACK_WEBHOOK_URL=https://hooks.slack.com/services/...
# SMTP_URL=smtp://user:password@host:587
# ALERT_EMAIL_TO=ops@example.org
# PAGERDUTY_ROUTING_KEY=...
# HEARTBEAT_URL=https://...
`;

const STARTER_FILES = [
  ['candlekeep.config.json', `${JSON.stringify(STARTER_CONFIGURATION, null, 2)}\n`],
  ['.env.example', ENV_FILE],
] as const;

export const writeStarterFiles: Action = async ({ io, files }, _options, [dir = '.']) => {
  const directory = resolve(io.cwd, dir);
  const taken = STARTER_FILES.find(([name]) => files.exists(resolve(directory, name)));
  if (taken)
    throw new ConfigurationError({
      where: directory,
      expected: 'a directory without Candlekeep files',
      got: `${taken[0]}, which is left as it is`,
    });
  for (const [name, text] of STARTER_FILES) files.write(resolve(directory, name), Buffer.from(text));
  const names = STARTER_FILES.map(([name]) => name);
  return {
    exit: EXIT.done,
    document: { schema: SCHEMA, ok: true, exit: EXIT.done, files: names.map((name) => resolve(directory, name)) },
    text:
      `wrote ${names.join(' and ')} in ${directory}\n` +
      'next: edit the symbols, then  candlekeep doctor  and  candlekeep run',
  };
};

export const showConfiguration: Action = async (session) => {
  const { inForce } = await configure(session);
  return {
    exit: EXIT.done,
    document: listDocument(inForce),
    text: () =>
      table(
        ['option', 'variable', 'value', 'from'],
        inForce.map((one) => [one.key, one.env, one.value ?? '-', one.source]),
      ),
  };
};

export const validateConfiguration: Action = async (session) => {
  const { settings, choices } = await configure(session);
  const series =
    [...settings.markets.values()].reduce((sum, symbols) => sum + symbols.length, 0) * settings.intervals.length;
  const patterns = [...choices].flatMap(([exchange, own]) =>
    own.filter(({ kind }) => kind !== 'symbol').map((choice) => `${exchange}:${choiceText(choice)}`),
  );
  const more = patterns.length === 0 ? '' : ` and the symbols that match ${patterns.join(', ')}`;
  return {
    exit: EXIT.done,
    document: { schema: SCHEMA, ok: true, exit: EXIT.done, series, patterns },
    text: `valid: ${series} series${more} in ${settings.dataDir}`,
  };
};
