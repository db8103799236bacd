import type { Command } from 'commander';
import { FORMATS } from '../choices.ts';
import type { CommandRunner } from '../command.ts';
import { examples } from './examples.ts';

export function addDataCommands(program: Command, run: CommandRunner): void {
  addSymbolCommands(program, run);
  addQuarantineCommands(program, run);
  run(
    program
      .command('candles <symbol>')
      .description('Print or export the stored candles of one symbol')
      .requiredOption('--from <day>', 'first UTC date')
      .requiredOption('--to <day>', 'last UTC date, included')
      .option('--interval <interval>', '1m 5m 15m 1h 4h 1d (default: the first configured one)')
      .option('--exchange <name>', 'default: the first configured one')
      .option('--format <format>', FORMATS.join(', '), 'table')
      .option('--output <file>', 'write to a file instead of standard output')
      .addHelpText(
        'after',
        examples(
          'candlekeep candles BTC/USDT --from 2024-06-01 --to 2024-06-01',
          'candlekeep candles BTCUSDT --from 2024-06-01 --to 2024-06-30 --format csv > btc.csv',
          'candlekeep candles ETH/USDT --from 2024-06-01 --to 2024-06-30 --format parquet --output eth.parquet',
        ),
      ),
    async () => (await import('../actions/data/candles.ts')).candles,
  );
}

function addSymbolCommands(program: Command, run: CommandRunner): void {
  const symbols = program
    .command('symbols')
    .description('Which symbols are requested, which are not, and why')
    .addHelpText(
      'after',
      examples(
        'candlekeep symbols list',
        'candlekeep symbols disable binance:LUNA/USDT --reason "delisted"',
        'candlekeep symbols enable LUNA/USDT',
      ),
    );
  run(
    symbols
      .command('list')
      .description('Configured symbols, and those taken off the active list: code, reason, since when, next check')
      .option('--exchange <names>', 'only these exchanges (comma list)')
      .option('--history', "instead: every change of a symbol's state, oldest first")
      .addHelpText(
        'after',
        examples(
          'candlekeep symbols list',
          'candlekeep symbols list --exchange binance --json',
          'candlekeep symbols list --history',
        ),
      ),
    async () => (await import('../actions/data/symbols.ts')).showSymbols,
  );
  run(
    symbols
      .command('disable <symbol>')
      .description('Stop requesting a symbol until it is enabled again; its due candles stay in the account')
      .requiredOption('--reason <text>', 'why, for those who read the list later')
      .option('--exchange <names>', 'only at these exchanges (default: the configured ones)')
      .addHelpText(
        'after',
        examples(
          'candlekeep symbols disable LUNA/USDT --reason "delisted"',
          'candlekeep symbols disable coinbase:BTC/USD --reason "moved to another account"',
        ),
      ),
    async () => (await import('../actions/data/symbols.ts')).disable,
  );
  run(
    symbols
      .command('enable <symbol>')
      .description('Request a symbol again that was disabled, or that its exchange did not list')
      .option('--reason <text>', 'why', 'enabled by hand')
      .option('--exchange <names>', 'only at these exchanges (default: the configured ones)')
      .addHelpText(
        'after',
        examples(
          'candlekeep symbols enable LUNA/USDT',
          'candlekeep symbols enable binance:LUNA/USDT --reason "listed again"',
        ),
      ),
    async () => (await import('../actions/data/symbols.ts')).enable,
  );
}

function addQuarantineCommands(program: Command, run: CommandRunner): void {
  const quarantine = program
    .command('quarantine')
    .description('Delivered rows that break a rule, and the responses they came in')
    .addHelpText(
      'after',
      examples('candlekeep quarantine list', 'candlekeep quarantine show binance/BTC-USDT/1h/2024-06-01T05:00:00Z'),
    );
  run(
    quarantine
      .command('list')
      .description('Quarantined rows, counted by day and rule')
      .option('--exchange <names>', 'only these exchanges (comma list)')
      .option('--symbol <symbol>', 'only this symbol')
      .option('--interval <intervals>', '1m 5m 15m 1h 4h 1d (comma list)')
      .option('--start <day>', 'first UTC date (default: all)')
      .option('--end <day>', 'last UTC date, included')
      .addHelpText(
        'after',
        examples(
          'candlekeep quarantine list',
          'candlekeep quarantine list --exchange binance --start 2024-06-01 --end 2024-06-30 --json',
        ),
      ),
    async () => (await import('../actions/data/quarantine.ts')).listQuarantine,
  );
  run(
    quarantine
      .command('show <row>')
      .description('One quarantined row, or those of a day: values, broken rules, and the row as the exchange sent it')
      .option('--body', 'the whole response, too')
      .addHelpText(
        'after',
        examples(
          'candlekeep quarantine show binance/BTC-USDT/1h/2024-06-01T05:00:00Z',
          'candlekeep quarantine show binance/BTC-USDT/1h/2024-06-01 --json',
          'candlekeep quarantine show binance/BTC-USDT/1h/2024-06-01T05:00:00Z --body',
        ),
      ),
    async () => (await import('../actions/data/quarantine.ts')).showQuarantine,
  );
  addDecisionCommands(quarantine, run);
}

const DECISIONS = [
  { name: 'release', description: 'Accept a quarantined row, or those of a day, into silver as delivered' },
  { name: 'drop', description: 'Stop waiting for a better row than a quarantined one, or those of a day' },
] as const;

function addDecisionCommands(quarantine: Command, run: CommandRunner): void {
  for (const { name, description } of DECISIONS)
    run(
      quarantine
        .command(`${name} <row>`)
        .description(description)
        .requiredOption('--reason <text>', 'why; kept with your name')
        .addHelpText(
          'after',
          examples(
            `candlekeep quarantine ${name} binance/BTC-USDT/1h/2024-06-01T05:00:00Z ` +
              "--reason 'confirmed by the exchange'",
          ),
        ),
      async () => (await import('../actions/data/quarantine.ts')).decide(name),
    );
}
