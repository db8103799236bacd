import { requireCandles } from '../../../configuration/exchange-choices.ts';
import { cellReport } from '../../../engine/queries/cell-report.ts';
import { runReport } from '../../../engine/queries/run-report.ts';
import { readCell } from '../../cell-reference.ts';
import type { Outcome } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openSession } from '../../open-session.ts';
import { cellReportDocument, cellReportText } from '../../output/cell-report.ts';
import { runReportDocument, runReportText } from '../../output/run-report.ts';
import type { Session } from '../../session.ts';
import { unknownRun } from './runs.ts';

export async function explainCell(session: Session, text: string): Promise<Outcome> {
  const { openTimeMs: _whole, ...cell } = readCell(text, '<what>');
  requireCandles([cell.exchange], [cell.interval], '<what>');
  const { pipeline, screen, clock } = await openSession(session, await configure(session));
  const report = await cellReport(pipeline, cell);
  return {
    exit: EXIT.done,
    document: cellReportDocument(report),
    text: () => cellReportText(screen, report, clock.nowMs()),
  };
}

export async function explainRun(session: Session, id: string): Promise<Outcome> {
  const { pipeline, screen } = await openSession(session, await configure(session));
  const report = await runReport(pipeline, id);
  if (report === null) throw unknownRun(id, 'a run');
  return { exit: EXIT.done, document: runReportDocument(report), text: () => runReportText(screen, report) };
}
