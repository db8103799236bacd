import { CommanderError, type Command } from 'commander';
import { secretKeeper, type SecretKeeper } from '../platform/redaction.ts';
import type { Outcome } from './command.ts';
import { buildProgram } from './commands/command-tree.ts';
import type { ExitCode } from './exit-code.ts';
import { redactedIo, type Console, type Io } from './output/console.ts';
import { sessionOf, type GlobalOptions } from './session.ts';

/**
 * Runs one command line and returns the exit code. Every failure ends here: as one clear line, or a document with
 * --json, and the documented exit code.
 */
export async function runCommandLine(args: readonly string[], outside: Io): Promise<ExitCode> {
  const secrets = secretKeeper();
  const io = redactedIo(outside, secrets.redact);
  let exit: ExitCode = 0;
  const program = buildProgram(io, (command, load) => {
    command.action(async () => {
      await keepVariables(secrets, outside);
      await using resources = new AsyncDisposableStack();
      const session = sessionOf(io, { options: command.optsWithGlobals(), secrets, resources });
      const action = await load();
      const outcome = await action(session, command.opts(), command.args);
      await finish(outcome, session.screen);
      exit = outcome.exit;
    });
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exit;
  } catch (error) {
    if (isBare(error, args)) {
      program.outputHelp();
      return 0;
    }
    if (error instanceof CommanderError && isRequested(error)) return 0;
    await keepVariables(secrets, outside);
    const { reportFailure } = await import('./failure.ts');
    await using resources = new AsyncDisposableStack();
    return reportFailure(error, sessionOf(io, { options: optionsOf(args), secrets, resources }), {
      command: commandOf(program, args),
    });
  }
}

/** The options that shape a failure's output, read from a line that may be invalid. */
const optionsOf = (args: readonly string[]): GlobalOptions => ({
  json: args.includes('--json'),
  verbose: args.includes('-v') || args.includes('--verbose'),
  color: !args.includes('--no-color'),
});

/** Secrets of the environment are known before anything can be refused. */
async function keepVariables(secrets: SecretKeeper, { env }: Io): Promise<void> {
  const { secretVariables } = await import('../configuration/configuration.ts');
  secrets.keep(secretVariables(env));
}

/** The one place where a command's outcome is printed. */
async function finish(outcome: Outcome, screen: Console): Promise<void> {
  if ('isStreamed' in outcome) return;
  if ('bytes' in outcome) {
    screen.bytes(outcome.bytes);
    return;
  }
  screen.print(outcome);
  await outcome.afterwards?.();
}

/** Commander's own codes for texts the user requested. */
const REQUESTED = new Set(['commander.helpDisplayed', 'commander.help', 'commander.version']);
const isRequested = ({ code, exitCode }: CommanderError): boolean => REQUESTED.has(code) && exitCode === 0;

/** A line without a command: a person gets the help, a script (--json) a usage error. */
const isBare = (error: unknown, args: readonly string[]): boolean =>
  error instanceof CommanderError &&
  error.code === 'commander.help' &&
  args.every((arg) => arg.startsWith('-') && arg !== '--json');

/** The command that a line names, as far as it names one. */
function commandOf(program: Command, args: readonly string[]): Command {
  const next = args
    .map((arg) => program.commands.find((command) => command.name() === arg))
    .find((command) => command !== undefined);
  return next === undefined ? program : commandOf(next, args.slice(args.indexOf(next.name()) + 1));
}
