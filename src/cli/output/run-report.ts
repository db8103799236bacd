import type { MetFault, RunReport } from '../../engine/queries/run-report.ts';
import { ruleOf } from '../../errors/table.ts';
import { count, table, type Console } from './console.ts';
import { runDocument, runErrorDocument } from './documents.ts';
import { isoTime, SCHEMA } from './schema.ts';
import { accountText, section, shortened } from './sections.ts';
import { assetLine } from './work-summary.ts';

export function runReportText(screen: Console, report: RunReport): string {
  const { run, faults, account } = report;
  return [
    ...headLines(screen, run),
    ...run.assets.map(assetLine),
    ...errorLines(screen, run),
    ...section(screen, 'Faults', shortened(faults, faultTable)),
    ...section(screen, 'Candles of its days, as stored now', [accountText(account)]),
    ...section(screen, 'What happens next', [nextOf(report)]),
    ...section(screen, 'What you can do', actionsOf(report)),
  ].join('\n');
}

function headLines(screen: Console, run: RunReport['run']): string[] {
  const days = run.partition === run.partitionEnd ? run.partition : `${run.partition}..${run.partitionEnd}`;
  const tags = Object.entries(run.tags)
    .map(([tag, value]) => ` ${tag}=${value}`)
    .join('');
  const crashes = run.crashCount === 0 ? '' : `, its process died ${count(run.crashCount, 'time')}`;
  const [started, ended] = [isoTime(run.startedAtMs) ?? 'not yet', isoTime(run.finishedAtMs) ?? 'not yet'];
  const outcome = run.outcome ?? run.status;
  return [
    `${screen.colour('bold', run.id)}  ${run.interval}  ${days}  ${run.trigger}${tags}  ${outcome}`,
    `  started ${started}, ended ${ended}${crashes}`,
  ];
}

const errorLines = (screen: Console, { error }: RunReport['run']): string[] =>
  error === null
    ? []
    : [
        `  ${screen.colour('red', 'ended by')} ${error.code}: ${error.message}`,
        ...(error.stack === null ? [] : [error.stack]),
      ];

const faultTable = (faults: readonly MetFault[]): string =>
  table(
    ['code', 'symbol', 'times', 'attempts', 'waited', 'in the end', 'last message'],
    faults.map((fault) => [
      fault.code,
      fault.symbol ?? '-',
      fault.times,
      fault.triesMax === null ? '-' : `of ${fault.triesMax}`,
      fault.waitedMs === 0 ? '-' : `${fault.waitedMs} ms`,
      fault.decision === 'retry' ? 'retried' : fault.decision,
      fault.message,
    ]),
  );

function nextOf({ run, account, nextAttemptAtMs }: RunReport): string {
  if (run.status !== 'finished')
    return run.owner === null ? 'it waits for a process to execute it' : `it is under way in process ${run.owner}`;
  if (account.pending === 0) return 'nothing: every candle of its days is accounted for';
  if (nextAttemptAtMs === null)
    return 'nothing by itself: its pending candles belong to symbols that are disabled (candlekeep symbols list)';
  const candles = count(account.pending, 'pending candle');
  return `candlekeep heal requests the ${candles} again from ${isoTime(nextAttemptAtMs)}`;
}

function actionsOf({ run, faults, account }: RunReport): string[] {
  if (run.status !== 'finished') return [`candlekeep runs cancel ${run.id}`];
  if (account.pending === 0 && run.error === null) return [];
  const codes = new Set([
    ...(run.error === null ? [] : [run.error.code]),
    ...faults.filter(({ decision }) => decision !== 'retry').map(({ code }) => code),
  ]);
  return [
    ...(account.pending > 0 ? [`candlekeep runs retry ${run.id}`] : []),
    ...[...codes].map((code) => `${code}: ${ruleOf(code).hint}`),
  ];
}

export const runReportDocument = ({ run, faults, account, nextAttemptAtMs }: RunReport): object => ({
  schema: SCHEMA,
  ...runDocument(run),
  error: runErrorDocument(run),
  faults: faults.map(({ triesMax, waitedMs, ...fault }) => ({ ...fault, tries_max: triesMax, waited_ms: waitedMs })),
  account,
  next_attempt_at: isoTime(nextAttemptAtMs),
});
