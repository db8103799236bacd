import type { Command } from 'commander';
import { EXIT } from '../../exit-code.ts';
import { policyRows } from '../../../errors/catalogue.ts';
import { table } from '../../output/console.ts';
import { listDocument } from '../../output/documents.ts';
import type { CommandRunner } from '../../program.ts';
import { examples } from '../../help.ts';

export function addPoliciesCommand(program: Command, run: CommandRunner): void {
  run(
    program
      .command('policies')
      .description('The fault table in force: tries, waits and consequences of every code')
      .addHelpText('after', examples(['candlekeep policies', 'candlekeep policies --json'])),
    async ({ screen }) => {
      const rows = policyRows();
      if (screen.isJson) screen.document(listDocument(rows));
      else
        screen.data(
          table(
            ['code', 'kind', 'tries', 'wait', 'after the last', 'level'],
            rows.map((row) => [row.code, row.kind, row.tries, row.backoff, row.afterTheLast, row.level]),
          ),
        );
      return EXIT.done;
    },
  );
}
