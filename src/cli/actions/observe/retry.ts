import { runById } from '../../../engine/queries/run-list.ts';
import { retryRun } from '../../../engine/runs/heal.ts';
import type { Action } from '../../command.ts';
import { configure, openSession } from '../../open-session.ts';
import { workOutcome } from '../pipeline/work-outcome.ts';
import { unknownRun } from './runs.ts';

export const retry: Action = async (session, _options, [id = '']) => {
  const open = await openSession(session, await configure(session));
  const before = await runById(open.pipeline, id);
  if (before === null) throw unknownRun(id, 'a run');
  return workOutcome(open, await retryRun(open.pipeline, before, open.control), `candlekeep runs retry ${id}`);
};
