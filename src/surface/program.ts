import { Command, CommanderError, type OptionValues } from 'commander';
import { EXIT, exitOfFault, type ExitCode } from '../engine/exit-code.ts';
import { ConfigurationError } from '../faults/taxonomy/errors.ts';
import { judge } from '../faults/taxonomy/judge.ts';
import { toRecord, type FaultRecord } from '../faults/taxonomy/records.ts';
import { addCandlesCommand } from './commands/candles.ts';
import { addCheckGapsCommand } from './commands/check-gaps.ts';
import { addConfigurationCommands } from './commands/configuration.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addFaultCommands } from './commands/faults.ts';
import { addMaterialiseCommands } from './commands/materialise.ts';
import { addRunsCommand } from './commands/runs.ts';
import { addStatusCommand } from './commands/status.ts';
import type { Io } from './console.ts';
import { failureDocument } from './documents.ts';
import { sessionOf, type Session } from './session.ts';
import { failureLines } from './work-summary.ts';

/** Gives a command its action. The action's options are the command's own, checked by itself. */
export type CommandRunner = <Options extends OptionValues>(command: Command, action: (session: Session, options: Options, args: readonly string[]) => Promise<ExitCode>) => void;

/**
 * Runs one command line and returns what the process ends with. Every failure ends here: one clear
 * line and the documented exit code, as a document with --json.
 */
export async function runProgram(args: readonly string[], io: Io): Promise<ExitCode> {
  let exit: ExitCode = EXIT.done;
  const run: CommandRunner = (command, action) => {
    command.action(async () => {
      exit = await action(sessionOf(io, command.optsWithGlobals()), command.opts(), command.args);
    });
  };
  try {
    await buildProgram(io, run).parseAsync([...args], { from: 'user' });
    return exit;
  } catch (error) {
    return failed(error, sessionOf(io, { json: args.includes('--json'), verbose: args.includes('-v') || args.includes('--verbose'), color: !args.includes('--no-color') }));
  }
}

const withGlobalOptions = (command: Command): Command =>
  command
    .option('--json', 'print one JSON document')
    .option('--config <file>', 'configuration file (default: candlekeep.config.ts, .js or .json here)')
    .option('--data-dir <dir>', 'where candles and state live')
    .option('-v, --verbose', 'log every step')
    .option('--no-color', 'no colours');

/** The whole command tree; `add` gives each command its action. */
export function buildProgram(io: Pick<Io, 'stdout'>, add: CommandRunner): Command {
  const run: CommandRunner = (command, action) => add(withGlobalOptions(command), action);
  const program = new Command('candlekeep')
    .description('A self-healing crypto market-data pipeline: every candle, accounted for.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => undefined })
    .showSuggestionAfterError()
    .addHelpText('after', '\nStart with:  candlekeep demo --once   then  candlekeep init');
  withGlobalOptions(program);
  addDemoCommand(program, run);
  addConfigurationCommands(program, run);
  addDoctorCommand(program, run);
  addMaterialiseCommands(program, run);
  addCheckGapsCommand(program, run);
  addRunsCommand(program, run);
  addStatusCommand(program, run);
  addFaultCommands(program, run);
  addCandlesCommand(program, run);
  return program;
}

/** Commander's own codes for texts that were asked for. */
const ASKED_FOR = new Set(['commander.helpDisplayed', 'commander.help', 'commander.version']);

function failed(error: unknown, { screen, options }: Session): ExitCode {
  if (error instanceof CommanderError) {
    if (ASKED_FOR.has(error.code) && error.exitCode === 0) return EXIT.done;
    return tell(screen, toRecord(usageError(error)), EXIT.usage);
  }
  const verdict = judge(error);
  switch (verdict.verdict) {
    case 'fault': return tell(screen, toRecord(verdict.fault), exitOfFault(verdict.fault.code));
    case 'cancelled': return EXIT.interrupted;
    case 'defect': {
      const record = toRecord(error);
      tell(screen, record, EXIT.defect);
      if (options.verbose && !screen.isJson) screen.say(record.stack ?? '');
      return EXIT.defect;
    }
    default: return verdict satisfies never;
  }
}

const usageError = (error: CommanderError): ConfigurationError =>
  new ConfigurationError({ where: 'command line', expected: 'a command of candlekeep --help', got: error.code === 'commander.help' ? 'none' : error.message.replace(/^error: /, '').replaceAll('\n', ' ') }, { cause: error });

function tell(screen: Session['screen'], record: FaultRecord, exit: ExitCode): ExitCode {
  if (screen.isJson) screen.document(failureDocument(exit, record));
  else if (exit === EXIT.usage) screen.say(`${screen.colour('red', `error[${record.code}]`)} ${record.message.replaceAll(/\p{Cc}+/gu, ' ')}`);
  else screen.say(failureLines(screen, record, 'nothing by itself').join('\n'));
  return exit;
}
