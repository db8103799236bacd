import { Command, CommanderError, type OptionValues } from 'commander';
import { secretKeeper } from '../platform/redaction.ts';
import { EXIT, exitOfFault, type ExitCode } from './exit-code.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { classify } from '../errors/classify.ts';
import { toRecord, type FaultRecord } from '../errors/fault-record.ts';
import { addAlertCommands } from './commands/observe/alerts.ts';
import { addCandlesCommand } from './commands/data/candles.ts';
import { addCheckGapsCommand } from './commands/pipeline/check-gaps.ts';
import { addCompletionCommand } from './commands/setup/completion.ts';
import { addConfigurationCommands } from './commands/setup/configuration.ts';
import { addDemoCommand } from './commands/pipeline/demo.ts';
import { addDoctorCommand } from './commands/setup/doctor.ts';
import { addExplainCommand } from './commands/observe/explain.ts';
import { addHelpCommand } from './commands/setup/help.ts';
import { addMaterialiseCommands } from './commands/pipeline/materialise.ts';
import { addMetricsCommands } from './commands/observe/metrics.ts';
import { addPoliciesCommand } from './commands/setup/policies.ts';
import { addPruneCommand } from './commands/pipeline/prune.ts';
import { addQuarantineCommands } from './commands/data/quarantine.ts';
import { addResumeCommand } from './commands/pipeline/resume.ts';
import { addRepairCommand } from './commands/pipeline/repair.ts';
import { addRunsCommand } from './commands/observe/runs.ts';
import { addStartCommand } from './commands/pipeline/start.ts';
import { addStatusCommand } from './commands/observe/status.ts';
import { addSymbolCommands } from './commands/data/symbols.ts';
import { secretVariables } from '../configuration/configuration.ts';
import { redactedIo, type Io } from './output/console.ts';
import { failureDocument } from './output/documents.ts';
import { examples } from './help.ts';
import { packageVersion } from './package-version.ts';
import { sessionOf, type Session } from './session.ts';
import { failureLines } from './output/work-summary.ts';

/** Gives a command its action. The action's options are the command's own, checked by itself. */
export type CommandRunner = <Options extends OptionValues>(
  command: Command,
  action: (session: Session, options: Options, args: readonly string[]) => Promise<ExitCode>,
) => void;

/**
 * Runs one command line and returns what the process ends with. Every failure ends here: one clear
 * line and the documented exit code, as a document with --json.
 */
export async function runProgram(args: readonly string[], outside: Io): Promise<ExitCode> {
  const secrets = secretKeeper();
  secrets.keep(secretVariables(outside.env));
  const io = redactedIo(outside, secrets.redact);
  let exit: ExitCode = EXIT.done;
  const program = buildProgram(io, (command, action) => {
    command.action(async () => {
      exit = await action(sessionOf(io, command.optsWithGlobals(), secrets), command.opts(), command.args);
    });
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exit;
  } catch (error) {
    if (isBare(error, args)) {
      program.outputHelp();
      return EXIT.done;
    }
    const session = sessionOf(
      io,
      {
        json: args.includes('--json'),
        verbose: args.includes('-v') || args.includes('--verbose'),
        color: !args.includes('--no-color'),
      },
      secrets,
    );
    return failed(
      error instanceof CommanderError && !isAskedFor(error) ? usageError(error, typed(program, args)) : error,
      session,
    );
  }
}

/** Every command there is, in the order and groups of the help; `run` gives each its action. */
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
      examples(['candlekeep demo --once', 'candlekeep init', 'candlekeep run', 'candlekeep help backfill']),
    );
  program.commandsGroup('First steps:');
  addDemoCommand(program, run);
  addConfigurationCommands(program, run);
  addDoctorCommand(program, run);
  program.commandsGroup('Fetch and heal:');
  addMaterialiseCommands(program, run);
  addStartCommand(program, run);
  addCheckGapsCommand(program, run);
  addRepairCommand(program, run);
  addPruneCommand(program, run);
  addResumeCommand(program, run);
  program.commandsGroup('See what happened:');
  addStatusCommand(program, run);
  addRunsCommand(program, run);
  addAlertCommands(program, run);
  addMetricsCommands(program, run);
  addExplainCommand(program, run);
  addPoliciesCommand(program, run);
  program.commandsGroup('Symbols and data:');
  addSymbolCommands(program, run);
  addQuarantineCommands(program, run);
  addCandlesCommand(program, run);
  program.commandsGroup('Shell:');
  addCompletionCommand(program, run);
  addHelpCommand(program, run);
  return program;
}

/** Commander's own codes for texts that were asked for. */
const ASKED_FOR = new Set(['commander.helpDisplayed', 'commander.help', 'commander.version']);
const isAskedFor = ({ code, exitCode }: CommanderError): boolean => ASKED_FOR.has(code) && exitCode === 0;

/** Nothing was asked for: somebody who does not know what there is. A script that wants documents is told that it said nothing. */
const isBare = (error: unknown, args: readonly string[]): boolean =>
  error instanceof CommanderError &&
  error.code === 'commander.help' &&
  args.every((arg) => arg.startsWith('-') && arg !== '--json');

function failed(error: unknown, { screen, options }: Session): ExitCode {
  if (error instanceof CommanderError) return EXIT.done;
  const verdict = classify(error);
  switch (verdict.verdict) {
    case 'fault':
      return tell(screen, toRecord(verdict.fault), exitOfFault(verdict.fault.code));
    case 'cancelled':
      return EXIT.interrupted;
    case 'defect': {
      const record = toRecord(error);
      tell(screen, record, EXIT.defect);
      if (options.verbose && !screen.isJson) screen.say(record.stack ?? '');
      return EXIT.defect;
    }
    default:
      return verdict satisfies never;
  }
}

/** The command that a line names, as far as it names one. */
function typed(program: Command, args: readonly string[]): Command {
  const next = args
    .map((arg) => program.commands.find((command) => command.name() === arg))
    .find((command) => command !== undefined);
  return next === undefined ? program : typed(next, args.slice(args.indexOf(next.name()) + 1));
}

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

function usageError(error: CommanderError, command: Command): ConfigurationError {
  const where = pathOf(command);
  const expected =
    command.commands.length > 0
      ? `a command (${command.commands.map((child) => child.name()).join(', ')})`
      : `what ${where} --help shows`;
  return new ConfigurationError(
    {
      where,
      expected,
      got: error.code === 'commander.help' ? 'none' : error.message.replace(/^error: /, '').replaceAll('\n', ' '),
    },
    { cause: error },
  );
}

function tell(screen: Session['screen'], record: FaultRecord, exit: ExitCode): ExitCode {
  if (screen.isJson) screen.document(failureDocument(exit, record));
  else if (exit === EXIT.usage)
    screen.say(`${screen.colour('red', `error[${record.code}]`)} ${record.message.replaceAll(/\p{Cc}+/gu, ' ')}`);
  else screen.say(failureLines(screen, record, 'nothing by itself').join('\n'));
  return exit;
}
