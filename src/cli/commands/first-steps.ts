import type { Command } from 'commander';
import type { CommandRunner } from '../command.ts';
import { examples } from './examples.ts';

export function addFirstSteps(program: Command, run: CommandRunner): void {
  run(
    program
      .command('demo')
      .description(
        'Ingest recorded candles from stand-in exchanges, heal, and publish to a stand-in Hub; the stand-in for ' +
          'Binance fails on a schedule. Then the stand-ins stay up for commands of your own',
      )
      .option('--once', 'end when the account is printed; exit 0 when it adds up')
      .option('--serve', 'only the stand-in exchanges: print their variables and stay up')
      .option('--port <n>', 'first of the ports the stand-ins listen on at 127.0.0.1; 0 for any free ones', '0')
      .option(
        '--fail <market=fault...>',
        "for your own commands: the fault that answers a market's candle requests, such as okx:ETH/USDT=500, or " +
          'SOL/USDT=silencex3 for the first three only',
        [],
      )
      .addHelpText(
        'after',
        examples(
          'candlekeep demo --once',
          'candlekeep demo --serve > stand-ins.env',
          'candlekeep demo --serve --port 4690 --fail binance:SOL/USDT=500x4 coinbase:BTC/USD=html',
        ),
      ),
    async () => (await import('../actions/pipeline/demo.ts')).demo,
  );
  run(
    program
      .command('init [dir]')
      .description('Write a candlekeep.config.json and a .env.example to start from')
      .addHelpText('after', examples('candlekeep init', 'candlekeep init my-candles')),
    async () => (await import('../actions/setup/configuration.ts')).writeStarterFiles,
  );
  addConfigurationCommands(program, run);
  run(
    program
      .command('doctor')
      .description(
        'Check Node, disk, state, clocks, exchanges, the Hub, alert channels and the heartbeat; the exit code is ' +
          'that of the most severe check',
      )
      .addHelpText(
        'after',
        `${examples('candlekeep doctor', 'candlekeep doctor --json')}\nExit codes: docs/commands.md`,
      ),
    async () => (await import('../actions/setup/doctor.ts')).doctor,
  );
}

function addConfigurationCommands(program: Command, run: CommandRunner): void {
  const config = program
    .command('config')
    .description('Show or check the configuration in force')
    .addHelpText('after', examples('candlekeep config show', 'candlekeep config validate --config my.config.json'));
  run(
    config
      .command('show')
      .description('Show every option, its value (secrets masked) and where it comes from')
      .addHelpText('after', examples('candlekeep config show', 'candlekeep config show --json')),
    async () => (await import('../actions/setup/configuration.ts')).showConfiguration,
  );
  run(
    config
      .command('validate')
      .description('Check file, environment and flags; exit 2 when something cannot be used')
      .addHelpText(
        'after',
        examples('candlekeep config validate', 'candlekeep config validate --config my.config.json'),
      ),
    async () => (await import('../actions/setup/configuration.ts')).validateConfiguration,
  );
}
