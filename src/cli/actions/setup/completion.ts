import type { Command } from 'commander';
import { nearest } from '../../../configuration/nearest.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { SHELLS } from '../../choices.ts';
import type { Action } from '../../command.ts';
import { completionScript } from '../../completion.ts';
import { EXIT } from '../../exit-code.ts';
import { SCHEMA } from '../../output/schema.ts';

export const completionOf =
  (program: Command): Action =>
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
    if (!screen.isJson) return { exit: EXIT.done, bytes: Buffer.from(script) };
    return { exit: EXIT.done, document: { schema: SCHEMA, ok: true, exit: EXIT.done, shell, script } };
  };
