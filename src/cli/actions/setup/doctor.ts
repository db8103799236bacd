import { worstEnding } from '../../../engine/core/ending.ts';
import { healthCheck, type CheckRow } from '../../../engine/queries/health-check.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openSession } from '../../open-session.ts';
import type { Console } from '../../output/console.ts';
import { SCHEMA } from '../../output/schema.ts';

export const doctor: Action = async (session) => {
  const configuration = await configure(session);
  const { pipeline, control, screen } = await openSession(session, configuration);
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
  return {
    exit,
    document: { schema: SCHEMA, ok: exit === EXIT.done, exit, items },
    text: () => rows.map((row) => lineOf(screen, row)).join('\n'),
  };
};

function lineOf(screen: Console, { check, status, detail, fix }: CheckRow): string {
  const colour = status === 'ok' ? 'green' : status === 'warn' ? 'yellow' : 'red';
  const advice = fix === null ? '' : `\n                 ${fix}`;
  return `${screen.colour(colour, status.padEnd(4))}  ${check.padEnd(9)}  ${detail}${advice}`;
}
