import type { WorkResult } from '../../../engine/core/work.ts';
import type { Outcome } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { deliverAlerts, type OpenSession } from '../../open-session.ts';
import { workDocument } from '../../output/documents.ts';
import { isOnlyRemoved, workSummary } from '../../output/work-summary.ts';

/** The outcome of a command that ran work. `resumeWith` is the command that continues it. */
export function workOutcome(open: OpenSession, result: WorkResult, resumeWith: string): Outcome {
  const final: WorkResult = { ...result, ending: open.stoppedBy() ?? result.ending };
  const resume = final.ending === 'done' || isOnlyRemoved(final) ? null : resumeWith;
  return {
    exit: EXIT[final.ending],
    document: workDocument(final, resume),
    text: () => workSummary(open.screen, final, resume),
    afterwards: () => deliverAlerts(open),
  };
}
