import { resolve } from 'node:path';
import type { Command } from 'commander';
import { choiceText } from '../../../domain/symbol-selector.ts';
import { EXIT } from '../../exit-code.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { table } from '../../output/console.ts';
import { listDocument, SCHEMA } from '../../output/documents.ts';
import type { CommandRunner } from '../../program.ts';
import { configure } from '../../session.ts';
import { examples } from '../../help.ts';

const CONFIG_FILE = `${JSON.stringify({ dataDir: './candlekeep-data', exchanges: ['binance'], symbols: ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'], interval: '1h' }, null, 2)}\n`;

const ENV_FILE = `# Candlekeep: copy to .env and load it with your shell or service manager. No key is needed to fetch candles.
# To publish to your own dataset repository on the Hugging Face Hub:
# CANDLEKEEP_HF_REPO=you/your-candles
# HF_TOKEN=hf_...
# To be told (candlekeep alerts test sends one message through every channel):
# SLACK_WEBHOOK_URL=https://hooks.slack.com/services/...
# SMTP_URL=smtp://user:password@host:587
# ALERT_EMAIL_TO=ops@example.org
# PAGERDUTY_ROUTING_KEY=...
# HEARTBEAT_URL=https://...
`;

export function addConfigurationCommands(program: Command, run: CommandRunner): void {
  run(
    program
      .command('init [dir]')
      .description('Write a candlekeep.config.json and a .env.example to start from')
      .addHelpText('after', examples(['candlekeep init', 'candlekeep init my-candles'])),
    async ({ io, screen, files }, _options, [dir = '.']) => {
      const directory = resolve(io.cwd, dir);
      const made = [
        ['candlekeep.config.json', CONFIG_FILE],
        ['.env.example', ENV_FILE],
      ] as const;
      const taken = made.find(([name]) => files.exists(resolve(directory, name)));
      if (taken)
        throw new ConfigurationError({
          where: directory,
          expected: 'a directory without Candlekeep files',
          got: `${taken[0]}, which is left as it is`,
        });
      for (const [name, text] of made) files.write(resolve(directory, name), Buffer.from(text));
      if (screen.isJson)
        screen.document({
          schema: SCHEMA,
          ok: true,
          exit: EXIT.done,
          files: made.map(([name]) => resolve(directory, name)),
        });
      else
        screen.data(
          `wrote ${made.map(([name]) => name).join(' and ')} in ${directory}\nnext: edit the symbols, then  candlekeep doctor  and  candlekeep run`,
        );
      return EXIT.done;
    },
  );
  const config = program
    .command('config')
    .description('The configuration in force')
    .addHelpText('after', examples(['candlekeep config show', 'candlekeep config validate --config my.config.json']));
  run(
    config
      .command('show')
      .description('Every option, its value (secrets masked) and where it comes from')
      .addHelpText('after', examples(['candlekeep config show', 'candlekeep config show --json'])),
    async (session) => {
      const { inForce } = await configure(session);
      if (session.screen.isJson) session.screen.document(listDocument(inForce));
      else
        session.screen.data(
          table(
            ['option', 'variable', 'value', 'from'],
            inForce.map((one) => [one.key, one.env, one.value ?? '-', one.source]),
          ),
        );
      return EXIT.done;
    },
  );
  run(
    config
      .command('validate')
      .description('Check file, environment and flags; exit 2 when something cannot be used')
      .addHelpText(
        'after',
        examples(['candlekeep config validate', 'candlekeep config validate --config my.config.json']),
      ),
    async (session) => {
      const { settings, choices } = await configure(session);
      const series =
        [...settings.markets.values()].reduce((sum, symbols) => sum + symbols.length, 0) * settings.intervals.length;
      const open = [...choices].flatMap(([exchange, own]) =>
        own.filter(({ kind }) => kind !== 'symbol').map((choice) => `${exchange}:${choiceText(choice)}`),
      );
      if (session.screen.isJson)
        session.screen.document({ schema: SCHEMA, ok: true, exit: EXIT.done, series, patterns: open });
      else
        session.screen.data(
          `valid: ${series} series${open.length === 0 ? '' : ` and what the exchanges answer to ${open.join(', ')}`} in ${settings.dataDir}`,
        );
      return EXIT.done;
    },
  );
}
