import { cancelRun } from '../../../engine/maintenance/run-decisions.ts';
import { faultsOf, newestRuns, runById } from '../../../engine/queries/run-list.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import type { FaultEntry } from '../../../state/fault-log.ts';
import type { Run } from '../../../state/runs.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openStateSession } from '../../open-session.ts';
import { table } from '../../output/console.ts';
import { faultDocument, runDocument, runErrorDocument } from '../../output/documents.ts';
import { isoTime, listDocument, SCHEMA } from '../../output/schema.ts';

export const showRuns: Action<{ readonly limit: string }> = async (session, options) => {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1)
    throw new ConfigurationError({ where: '--limit', expected: 'a whole number above 0', got: `"${options.limit}"` });
  const { pipeline } = await openStateSession(session, await configure(session));
  const runs = await newestRuns(pipeline, limit);
  return {
    exit: EXIT.done,
    document: listDocument(runs.map(runDocument)),
    text: () =>
      table(
        ['run', 'days', 'interval', 'trigger', 'outcome', 'started'],
        runs.map((one) => [
          one.id,
          `${one.partition}..${one.partitionEnd}`,
          one.interval,
          one.trigger,
          one.outcome ?? one.status,
          isoTime(one.startedAtMs) ?? '-',
        ]),
      ),
  };
};

export const showRun: Action = async (session, _options, [id = '']) => {
  const { pipeline } = await openStateSession(session, await configure(session));
  const run = await runById(pipeline, id);
  if (run === null) throw unknownRun(id, 'a run');
  const faults = await faultsOf(pipeline, id);
  return {
    exit: EXIT.done,
    document: {
      schema: SCHEMA,
      ...runDocument(run),
      error: runErrorDocument(run),
      faults: faults.map(faultDocument),
    },
    text: () => runText(run, faults),
  };
};

export const cancel: Action = async (session, _options, [id = '']) => {
  const { pipeline } = await openStateSession(session, await configure(session));
  const wasActive = await cancelRun(pipeline, id);
  if (!wasActive) throw unknownRun(id, 'a run that is under way');
  return {
    exit: EXIT.done,
    document: { schema: SCHEMA, ok: true, exit: EXIT.done },
    text: `cancellation of ${id} is requested`,
  };
};

export const unknownRun = (id: string, expected: string): ConfigurationError =>
  new ConfigurationError({ where: '<run>', expected: `${expected} (candlekeep runs list)`, got: `"${id}"` });

function runText(run: Run, faults: readonly FaultEntry[]): string {
  const outcome = run.outcome ?? run.status;
  const { error } = run;
  return [
    `${run.id}  ${run.interval}  ${run.partition}..${run.partitionEnd}  ${run.trigger}  ${outcome}`,
    ...run.assets.map(
      ({ asset, outcome: ended, ...rows }) =>
        `  ${asset}  ${ended}  in ${rows.input_rows}, out ${rows.output_rows}, removed ${rows.removed_rows}`,
    ),
    ...(faults.length === 0 ? [] : [faultTable(faults)]),
    ...(error === null ? [] : [`ended by ${error.code}: ${error.message}`]),
    ...(error === null || error.stack === null ? [] : [error.stack]),
  ].join('\n');
}

const faultTable = (faults: readonly FaultEntry[]): string =>
  table(
    ['at', 'code', 'symbol', 'request', 'decision', 'wait'],
    faults.map((fault) => [
      isoTime(fault.atMs) ?? '',
      fault.record.code,
      fault.symbol ?? '-',
      fault.attempt ?? '-',
      fault.decision,
      fault.waitMs === null ? '-' : `${fault.waitMs} ms`,
    ]),
  );
