import { clearHalts } from '../../../engine/maintenance/run-decisions.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openStateSession } from '../../open-session.ts';
import { isoTime, SCHEMA } from '../../output/schema.ts';

export const resume: Action = async (session) => {
  const { pipeline } = await openStateSession(session, await configure(session));
  const halts = await clearHalts(pipeline);
  const lifted = halts.map(({ exchange, code, message, runId, givenAtMs }) => ({
    exchange,
    code,
    message,
    run_id: runId,
    given_at: isoTime(givenAtMs),
  }));
  return {
    exit: EXIT.done,
    document: { schema: SCHEMA, ok: true, exit: EXIT.done, lifted },
    text: () =>
      lifted.length === 0
        ? 'no halt is in force'
        : lifted
            .map((halt) => `cleared: ${halt.message} (${halt.exchange}, since ${halt.given_at})\nnext: candlekeep run`)
            .join('\n'),
  };
};
