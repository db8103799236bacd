import type { Command } from 'commander';
import { nearest } from '../../../configuration/nearest.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';

export const helpOf =
  (program: Command): Action =>
  async (_session, _options, path) => {
    commandAt(program, path).outputHelp();
    return { exit: EXIT.done, isStreamed: true };
  };

function commandAt(command: Command, [name, ...rest]: readonly string[]): Command {
  if (name === undefined) return command;
  const child = command.commands.find((one) => one.name() === name);
  const names = command.commands.map((one) => one.name());
  if (child === undefined)
    throw new ConfigurationError({
      where: '<command>',
      expected: names.length === 0 ? `no command below ${command.name()}` : `one of ${names.join(', ')}`,
      got: `"${name}"`,
      nearest: nearest(name, names),
    });
  return commandAt(child, rest);
}
