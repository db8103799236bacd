import type { Command } from 'commander';
import { EXIT } from '../../exit-code.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { examples } from '../../help.ts';
import { nearest } from '../../../configuration/nearest.ts';
import type { CommandRunner } from '../../program.ts';

export function addHelpCommand(program: Command, run: CommandRunner): void {
  program.helpCommand(false); // Commander's own goes one level down at most
  run(
    program
      .command('help [command...]')
      .description('The help of a command')
      .addHelpText('after', examples(['candlekeep help', 'candlekeep help symbols disable'])),
    async (_session, _options, path) => {
      commandAt(program, path).outputHelp();
      return EXIT.done;
    },
  );
}

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
