import type { Command } from 'commander';
import { EXIT } from '../../exit-code.ts';
import { prune, type PruneReport } from '../../../engine/maintenance/prune.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { count } from '../../output/console.ts';
import { SCHEMA } from '../../output/documents.ts';
import { examples } from '../../help.ts';
import type { CommandRunner } from '../../program.ts';
import { configure, withPipeline } from '../../session.ts';

const KEEP_DAYS_DEFAULT = 30;
const KEEP_DAYS_MAX = 36_500;

export function addPruneCommand(program: Command, run: CommandRunner): void {
  run(
    program
      .command('prune')
      .description('Remove rejected and superseded answers that no silver file needs, and old faults and runs')
      .option('--keep-days <n>', 'what is younger stays', String(KEEP_DAYS_DEFAULT))
      .option('--dry-run', 'show what would be removed, and remove nothing')
      .addHelpText(
        'after',
        examples(['candlekeep prune --dry-run', 'candlekeep prune --keep-days 90', 'candlekeep prune --json']),
      ),
    async (session, options: { readonly keepDays: string; readonly dryRun?: boolean }) => {
      const keepDays = Number(options.keepDays);
      if (!Number.isInteger(keepDays) || keepDays < 1 || keepDays > KEEP_DAYS_MAX)
        throw new ConfigurationError({
          where: '--keep-days',
          expected: `a whole number from 1 to ${KEEP_DAYS_MAX}`,
          got: `"${options.keepDays}"`,
        });
      return withPipeline(session, await configure(session), async ({ pipeline, screen, control }) => {
        const report = await prune(pipeline, { keepDays, effect: options.dryRun ? 'count' : 'remove' }, control.signal);
        if (screen.isJson)
          screen.document({ schema: SCHEMA, ok: true, exit: EXIT.done, dry_run: options.dryRun ?? false, ...report });
        else screen.data(pruneText(report, options));
        return EXIT.done;
      });
    },
  );
}

function pruneText(report: PruneReport, { dryRun }: { readonly dryRun?: boolean }): string {
  const { rejected, superseded, orphans, faults, runs, evidence, untouched } = report;
  return [
    `${dryRun ? 'would remove' : 'removed'} ${count(rejected, 'rejected answer')}, ${count(superseded, 'superseded answer')}, ${count(orphans, 'segment')} that nothing names: ${(report.bytes / 1e6).toFixed(1)} MB`,
    `and ${count(faults, 'fault')}, ${count(runs, 'run')}, ${count(evidence, 'piece')} of evidence from the state`,
    ...untouched.map((segment) => `left alone: ${segment} (in use or damaged)`),
  ].join('\n');
}
