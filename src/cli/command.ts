import type { Command, OptionValues } from 'commander';
import type { ExitCode } from './exit-code.ts';
import type { Output } from './output/console.ts';
import type { Session } from './session.ts';

/** How a command ends: its exit code and what it prints at its end. */
export type Outcome =
  | (Output & {
      readonly exit: ExitCode;
      /** Runs after the output is printed, while everything the session opened is still open. */
      readonly afterwards?: () => Promise<void>;
    })
  | StreamedOutcome
  | FileOutcome;

/** Outcome of a command that printed while it ran. */
export interface StreamedOutcome {
  readonly exit: ExitCode;
  readonly isStreamed: true;
}

/** Outcome of a command that prints a file in the format the user chose; --json does not change it. */
export interface FileOutcome {
  readonly exit: ExitCode;
  readonly bytes: Uint8Array;
}

/** What a command does. The options are the command's own, which the action checks itself. */
export type Action<Options extends OptionValues = OptionValues> = (
  session: Session,
  options: Options,
  args: readonly string[],
) => Promise<Outcome>;

/** Attaches an action to a declared command. `load` imports the action when the command runs. */
export type CommandRunner = <Options extends OptionValues>(
  command: Command,
  load: () => Promise<Action<Options>>,
) => void;
