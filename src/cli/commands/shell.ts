import type { Command } from 'commander';
import type { CommandRunner } from '../command.ts';
import { SHELLS } from '../choices.ts';
import { examples } from './examples.ts';

export function addShellCommands(program: Command, run: CommandRunner): void {
  run(
    program
      .command('completion <shell>')
      .description(`A script that completes commands, options and their values in ${SHELLS.join(', ')}`)
      .addHelpText(
        'after',
        examples(
          'eval "$(candlekeep completion bash)"',
          'candlekeep completion bash > ~/.local/share/bash-completion/completions/candlekeep',
          'candlekeep completion fish > ~/.config/fish/completions/candlekeep.fish',
        ),
      ),
    async () => (await import('../actions/setup/completion.ts')).completionOf(program),
  );
  program.helpCommand(false); // Commander's own knows one level of commands only
  run(
    program
      .command('help [command...]')
      .description('The help of a command')
      .addHelpText('after', examples('candlekeep help', 'candlekeep help symbols disable')),
    async () => (await import('../actions/setup/help.ts')).helpOf(program),
  );
}
