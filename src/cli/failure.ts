import { CommanderError, type Command } from 'commander';
import { classify } from '../errors/classify.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { toRecord, type FaultRecord } from '../errors/fault-record.ts';
import { EXIT, exitOfFault, type ExitCode } from './exit-code.ts';
import { failureDocument } from './output/documents.ts';
import { failureLines } from './output/work-summary.ts';
import type { Session } from './session.ts';

/** Prints what ended the command and returns its exit code. `command` is the one that an invalid line names. */
export function reportFailure(
  error: unknown,
  { screen, options }: Session,
  { command }: { readonly command: Command },
): ExitCode {
  const verdict = classify(error instanceof CommanderError ? usageError(error, command) : error);
  switch (verdict.verdict) {
    case 'fault':
      return printFailure(screen, toRecord(verdict.fault), exitOfFault(verdict.fault.code));
    case 'cancelled':
      return EXIT.interrupted;
    case 'defect': {
      const record = toRecord(error);
      printFailure(screen, record, EXIT.defect);
      if (options.verbose) screen.note(record.stack ?? '');
      return EXIT.defect;
    }
    default:
      return verdict satisfies never;
  }
}

function printFailure(screen: Session['screen'], record: FaultRecord, exit: ExitCode): ExitCode {
  screen.print({
    document: failureDocument(exit, record),
    note: () =>
      exit === EXIT.usage
        ? `${screen.colour('red', `error[${record.code}]`)} ${record.message.replaceAll(/\p{Cc}+/gu, ' ')}`
        : failureLines(screen, record, 'nothing by itself').join('\n'),
  });
  return exit;
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
