import { prune, type PruneReport } from '../../../engine/maintenance/prune.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openSession } from '../../open-session.ts';
import { count } from '../../output/console.ts';
import { SCHEMA } from '../../output/schema.ts';
import { readWhole } from '../../work-options.ts';

const KEEP_DAYS_MAX = 36_500;

interface PruneOptions {
  readonly keepDays: string;
  readonly dryRun?: boolean;
}

export const pruneLake: Action<PruneOptions> = async (session, options) => {
  const keepDays = readWhole(options.keepDays, '--keep-days', KEEP_DAYS_MAX);
  const { pipeline, control } = await openSession(session, await configure(session));
  const report = await prune(pipeline, { keepDays, effect: options.dryRun ? 'count' : 'remove' }, control.signal);
  return {
    exit: EXIT.done,
    document: { schema: SCHEMA, ok: true, exit: EXIT.done, dry_run: options.dryRun ?? false, ...report },
    text: () => pruneText(report, options),
  };
};

function pruneText(report: PruneReport, { dryRun }: PruneOptions): string {
  const { rejected, superseded, orphans, faults, runs, evidence, untouched } = report;
  const responses = `${count(rejected, 'rejected response')}, ${count(superseded, 'superseded response')}`;
  const size = `${(report.bytes / 1e6).toFixed(1)} MB`;
  return [
    `${dryRun ? 'would remove' : 'removed'} ${responses}, ${count(orphans, 'unreferenced segment')}: ${size}`,
    `and ${count(faults, 'fault')}, ${count(runs, 'run')}, ${count(evidence, 'piece')} of evidence from the state`,
    ...untouched.map((segment) => `left alone: ${segment} (in use or damaged)`),
  ].join('\n');
}
