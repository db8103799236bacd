import { endingOfRepair, repair, type RepairReport } from '../../../engine/maintenance/repair.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openSession } from '../../open-session.ts';
import { count, type Console } from '../../output/console.ts';
import { workDocument } from '../../output/documents.ts';
import { workSummary } from '../../output/work-summary.ts';

const PLACES_SHOWN_MAX = 20;

export const repairLake: Action = async (session) => {
  const opening = { lostState: 'rebuilt' } as const;
  const { pipeline, screen, control, stoppedBy } = await openSession(session, await configure(session), opening);
  const report = await repair(pipeline, control);
  const ending = stoppedBy() ?? endingOfRepair(report);
  const work = { ...report.work, ending };
  const resume = ending === 'done' ? null : stoppedBy() === null ? 'candlekeep heal --now' : 'candlekeep repair';
  return {
    exit: EXIT[ending],
    document: { ...workDocument(work, resume), ...repairDocument(report) },
    text: () => [...repairLines(screen, report), workSummary(screen, work, resume)].join('\n'),
  };
};

const repairDocument = (report: RepairReport): object => ({
  segments: report.segments,
  answers: report.responses,
  indexed: report.indexed,
  restored: report.restored,
  lost: report.lost,
  damaged: report.damaged,
  torn_bytes: report.tornBytes,
  unexplained: report.unexplained,
});

function repairLines(screen: Console, report: RepairReport): string[] {
  const { damaged, unexplained } = report;
  return [
    `${count(report.responses, 'response')} in ${count(report.segments, 'segment')}: ${report.indexed} indexed, ` +
      `${report.restored} restored, ${report.lost} no longer readable`,
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
      (path) => `${screen.colour('yellow', 'unexplained')} ${path}: no response in bronze; left as it is`,
    ),
  ];
}
