import { Command } from 'commander';
import type { CommandRunner } from '../command.ts';
import type { Io } from '../output/console.ts';
import { packageVersion } from '../package-version.ts';
import { addDataCommands } from './data.ts';
import { examples } from './examples.ts';
import { addFirstSteps } from './first-steps.ts';
import { addObserveCommands } from './observe.ts';
import { addPipelineCommands } from './pipeline.ts';
import { addShellCommands } from './shell.ts';

/** Every command, in the order and groups of the help; `run` gives each its action. */
export function buildProgram(io: Pick<Io, 'stdout'>, run: CommandRunner): Command {
  const program = new Command('candlekeep')
    .description('A self-healing crypto market-data pipeline: every candle, accounted for.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => undefined })
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .version(packageVersion(), '-V, --version', 'print the version')
    .option('--json', 'print one JSON document')
    .option('--config <file>', 'configuration file (default: candlekeep.config.ts, .js, .mjs or .json here)')
    .option('--data-dir <dir>', 'where candles and state live')
    .option('-v, --verbose', 'log every step')
    .option('--no-color', 'no colours, as with NO_COLOR or TERM=dumb')
    .addHelpText(
      'after',
      examples('candlekeep demo --once', 'candlekeep init', 'candlekeep run', 'candlekeep help backfill'),
    );
  program.commandsGroup('First steps:');
  addFirstSteps(program, run);
  program.commandsGroup('Fetch and heal:');
  addPipelineCommands(program, run);
  program.commandsGroup('See what happened:');
  addObserveCommands(program, run);
  program.commandsGroup('Symbols and data:');
  addDataCommands(program, run);
  program.commandsGroup('Shell:');
  addShellCommands(program, run);
  return program;
}
