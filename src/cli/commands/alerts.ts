import type { Command } from 'commander';
import { LEVELS } from '../../alerting/model/levels.ts';
import type { CommandRunner } from '../command.ts';
import { examples } from './examples.ts';

export function addAlertCommands(program: Command, run: CommandRunner): void {
  const alerts = program
    .command('alerts')
    .description('What is wrong now, who was notified, and which notifications are pending')
    .addHelpText('after', examples('candlekeep alerts list', 'candlekeep alerts test', 'candlekeep alerts outbox'));
  run(
    alerts
      .command('list')
      .description('Causes that fire, most severe first, and the silences in force')
      .option('--all', 'those that ended, too')
      .option('--history', 'instead: the audit trail, with the author of each action, newest first')
      .addHelpText(
        'after',
        examples(
          'candlekeep alerts list',
          'candlekeep alerts list --json | jq .items',
          'candlekeep alerts list --history',
        ),
      ),
    async () => (await import('../actions/alerts/list.ts')).showAlerts,
  );
  run(
    alerts
      .command('test')
      .description('Send a labelled test and its end through every channel; exit 8 when one does not deliver')
      .option('--channel <name>', 'only this channel')
      .option('--level <level>', LEVELS.join(', '), 'warning')
      .addHelpText(
        'after',
        examples('candlekeep alerts test', 'candlekeep alerts test --channel slack --level critical'),
      ),
    async () => (await import('../actions/alerts/test.ts')).test,
  );
  run(
    alerts
      .command('ack <fingerprint>')
      .description('Acknowledge an alert: it is not repeated, and pagers stop calling')
      .addHelpText('after', examples('candlekeep alerts ack binance/CONNECTION_FAILED/bronze_binance_ohlcv')),
    async () => (await import('../actions/alerts/decisions.ts')).ack,
  );
  addSilenceCommand(alerts, run);
  run(
    alerts
      .command('outbox')
      .description('Pending messages, and the state of each channel')
      .addHelpText('after', examples('candlekeep alerts outbox', 'candlekeep alerts outbox --json')),
    async () => (await import('../actions/alerts/outbox.ts')).showOutbox,
  );
}

function addSilenceCommand(alerts: Command, run: CommandRunner): void {
  run(
    alerts
      .command('silence')
      .description('Mute a cause for a while; its alert is still recorded and listed')
      .option('--exchange <name>', 'alerts of this exchange')
      .option('--code <code>', 'alerts under this code')
      .option('--asset <name>', 'alerts of this asset')
      .option('--for <duration>', 'how long, at most 720h: 30m, 8h')
      .option('--reason <text>', 'why, for those who read the list later')
      .option('--end <silence>', 'instead: end this silence now')
      .addHelpText(
        'after',
        examples(
          'candlekeep alerts silence --exchange okx --for 4h --reason "announced maintenance"',
          'candlekeep alerts silence --end silence_0lx2k3j4h5g6f7',
        ),
      ),
    async () => (await import('../actions/alerts/decisions.ts')).setSilence,
  );
}
