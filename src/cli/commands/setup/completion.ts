import type { Command } from 'commander';
import { EXIT } from '../../exit-code.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { completionScript, SHELLS } from '../../completion.ts';
import { SCHEMA } from '../../output/documents.ts';
import { examples } from '../../help.ts';
import { nearest } from '../../../configuration/nearest.ts';
import type { CommandRunner } from '../../program.ts';

export function addCompletionCommand(program: Command, run: CommandRunner): void {
  run(
    program
      .command('completion <shell>')
      .description(`A script that completes commands, options and their values in ${SHELLS.join(', ')}`)
      .addHelpText(
        'after',
        examples([
          'eval "$(candlekeep completion bash)"',
          'candlekeep completion bash > ~/.local/share/bash-completion/completions/candlekeep',
          'candlekeep completion fish > ~/.config/fish/completions/candlekeep.fish',
        ]),
      ),
    async ({ screen }, _options, [text = '']) => {
      const shell = SHELLS.find((one) => one === text);
      if (shell === undefined)
        throw new ConfigurationError({
          where: '<shell>',
          expected: SHELLS.join(', '),
          got: `"${text}"`,
          nearest: nearest(text, SHELLS),
        });
      const script = completionScript(program, shell);
      if (screen.isJson) screen.document({ schema: SCHEMA, ok: true, exit: EXIT.done, shell, script });
      else screen.bytes(Buffer.from(script));
      return EXIT.done;
    },
  );
}
