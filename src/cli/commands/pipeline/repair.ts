import type { Command } from 'commander';
import { endingOfRepair, repair, type RepairReport } from '../../../engine/maintenance/repair.ts';
import { EXIT } from '../../exit-code.ts';
import { count, type Console } from '../../output/console.ts';
import { workDocument } from '../../output/documents.ts';
import { examples } from '../../help.ts';
import type { CommandRunner } from '../../program.ts';
import { configure, withPipeline } from '../../session.ts';
import { workSummary } from '../../output/work-summary.ts';

const PLACES_SHOWN_MAX = 20;

export function addRepairCommand(program: Command, run: CommandRunner): void {
  run(
    program
      .command('repair')
      .description(
        'Rebuild state and silver from the answers in bronze, after state.db was lost or files were damaged; asks no exchange',
      )
      .addHelpText('after', examples(['candlekeep repair', 'candlekeep repair --json'])),
    async (session) =>
      withPipeline(
        session,
        await configure(session),
        async ({ pipeline, screen, control, stoppedBy }) => {
          const report = await repair(pipeline, control);
          const ending = stoppedBy() ?? endingOfRepair(report);
          const work = { ...report.work, ending };
          const resume =
            ending === 'done' ? null : stoppedBy() === null ? 'candlekeep heal --now' : 'candlekeep repair';
          const { segments, responses, indexed, restored, lost, damaged, tornBytes, unexplained } = report;
          if (screen.isJson)
            screen.document({
              ...workDocument(work, resume),
              segments,
              answers: responses,
              indexed,
              restored,
              lost,
              damaged,
              torn_bytes: tornBytes,
              unexplained,
            });
          else screen.data([...repairLines(screen, report), workSummary(screen, work, resume)].join('\n'));
          return EXIT[ending];
        },
        { lostState: 'rebuilt' },
      ),
  );
}

function repairLines(screen: Console, report: RepairReport): string[] {
  const { damaged, unexplained } = report;
  return [
    `${count(report.responses, 'answer')} in ${count(report.segments, 'segment')}: ${report.indexed} put into the index, ${report.restored} taken into use again, ${report.lost} no longer readable`,
    ...damaged
      .slice(0, PLACES_SHOWN_MAX)
      .map(
        ({ segment, offset, length }) =>
          `${screen.colour('red', 'damaged')} ${segment}: ${count(length, 'byte')} at ${offset}`,
      ),
    ...(damaged.length > PLACES_SHOWN_MAX
      ? [`and ${count(damaged.length - PLACES_SHOWN_MAX, 'more place')}; --json lists all`]
      : []),
    ...unexplained.map(
      (path) => `${screen.colour('yellow', 'unexplained')} ${path}: no answer in bronze; left as it is`,
    ),
  ];
}
