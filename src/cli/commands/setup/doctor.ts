import type { Command } from 'commander';
import { healthCheck, type CheckRow } from '../../../engine/queries/health-check.ts';
import { worstEnding } from '../../../engine/core/ending.ts';
import { EXIT } from '../../exit-code.ts';
import type { Console } from '../../output/console.ts';
import { SCHEMA } from '../../output/documents.ts';
import type { CommandRunner } from '../../program.ts';
import { configure, withPipeline } from '../../session.ts';
import { examples } from '../../help.ts';

export function addDoctorCommand(program: Command, run: CommandRunner): void {
  run(
    program
      .command('doctor')
      .description(
        'Check Node, disk, state, clocks, exchanges, the Hub, alert channels and the heartbeat; ends like the worst of them',
      )
      .addHelpText('after', examples(['candlekeep doctor', 'candlekeep doctor --json'])),
    async (session) => {
      const configuration = await configure(session);
      return withPipeline(session, configuration, async ({ pipeline, control, screen }) => {
        const node: CheckRow = {
          check: 'node',
          status: 'ok',
          detail: `${process.version}, SQLite ${process.versions.sqlite ?? '?'}`,
          fix: null,
          ending: 'done',
        };
        const rows = [node, ...(await healthCheck(pipeline, configuration.choices, control.signal))];
        const exit = EXIT[worstEnding(rows.map((row) => row.ending))];
        const items = rows.map(({ ending, ...row }) => ({ ...row, exit: EXIT[ending] }));
        if (screen.isJson) screen.document({ schema: SCHEMA, ok: exit === EXIT.done, exit, items });
        else screen.data(rows.map((row) => line(screen, row)).join('\n'));
        return exit;
      });
    },
  );
}

function line(screen: Console, { check, status, detail, fix }: CheckRow): string {
  const colour = status === 'ok' ? 'green' : status === 'warn' ? 'yellow' : 'red';
  return `${screen.colour(colour, status.padEnd(4))}  ${check.padEnd(9)}  ${detail}${fix === null ? '' : `\n                 ${fix}`}`;
}
