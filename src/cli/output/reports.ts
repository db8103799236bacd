import type { CellReport, ExplainedGap } from '../../engine/queries/cell-report.ts';
import type { MetFault, RunReport } from '../../engine/queries/run-report.ts';
import type { Account } from '../../domain/account.ts';
import { recheckAtMs } from '../../state/symbols.ts';
import { ruleOf } from '../../errors/table.ts';
import { GAP_RULES, type GapCause } from '../../lake/quality/gaps/gap-rules.ts';
import { cellText as referenceOf } from '../cell-reference.ts';
import { count, grouped, table, type Console } from './console.ts';
import { isoTime, runDocument, runErrorDocument, SCHEMA } from './documents.ts';
import { assetLine } from './work-summary.ts';

/** Rows of a table that a person reads; the document has them all. */
const ROWS_SHOWN_MAX = 20;

/** `24 candles expected = 20 present + 0 no trades + 0 outage + 0 quarantined + 4 pending`. */
export const accountText = ({ expected, present, no_trades, outage, quarantined, pending }: Account): string =>
  `${count(expected, 'candle')} expected = ${grouped(present)} present + ${grouped(no_trades)} no trades + ${grouped(outage)} outage + ${grouped(quarantined)} quarantined + ${grouped(pending)} pending`;

const section = (screen: Console, title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', screen.colour('bold', title), ...lines];

const shortened = <T>(rows: readonly T[], lineOf: (shown: readonly T[]) => string): string[] =>
  rows.length === 0
    ? []
    : [
        lineOf(rows.slice(0, ROWS_SHOWN_MAX)),
        ...(rows.length > ROWS_SHOWN_MAX ? [`and ${rows.length - ROWS_SHOWN_MAX} more; --json has all`] : []),
      ];

export function runReportText(screen: Console, report: RunReport): string {
  const { run, faults, account } = report;
  const days = run.partition === run.partitionEnd ? run.partition : `${run.partition}..${run.partitionEnd}`;
  const tags = Object.entries(run.tags)
    .map(([tag, value]) => ` ${tag}=${value}`)
    .join('');
  return [
    `${screen.colour('bold', run.id)}  ${run.interval}  ${days}  ${run.trigger}${tags}  ${run.outcome ?? run.status}`,
    `  started ${isoTime(run.startedAtMs) ?? 'not yet'}, ended ${isoTime(run.finishedAtMs) ?? 'not yet'}${run.crashCount === 0 ? '' : `, its process was lost ${count(run.crashCount, 'time')}`}`,
    ...run.assets.map(assetLine),
    ...(run.error === null
      ? []
      : [
          `  ${screen.colour('red', 'ended by')} ${run.error.code}: ${run.error.message}`,
          ...(run.error.stack === null ? [] : [run.error.stack]),
        ]),
    ...section(screen, 'What it met', shortened(faults, faultTable)),
    ...section(screen, 'What is stored of its days now', [accountText(account)]),
    ...section(screen, 'What happens next', [nextOfRun(report)]),
    ...section(screen, 'What you can do', actionsOfRun(report)),
  ].join('\n');
}

const faultTable = (faults: readonly MetFault[]): string =>
  table(
    ['code', 'symbol', 'times', 'tries', 'waited', 'in the end', 'last message'],
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

function nextOfRun({ run, account, nextAttemptAtMs }: RunReport): string {
  if (run.status !== 'finished')
    return run.owner === null ? 'it waits for a process to execute it' : `it is under way in process ${run.owner}`;
  if (account.pending === 0) return 'nothing: every candle of its days is accounted for';
  if (nextAttemptAtMs === null)
    return 'nothing by itself: its pending candles belong to symbols that are disabled (candlekeep symbols list)';
  return `candlekeep heal asks for the ${count(account.pending, 'pending candle')} again from ${isoTime(nextAttemptAtMs)}`;
}

function actionsOfRun({ run, faults, account }: RunReport): string[] {
  if (run.status !== 'finished') return [`candlekeep runs cancel ${run.id}`];
  if (account.pending === 0 && run.error === null) return [];
  const codes = [
    ...new Set([
      ...(run.error === null ? [] : [run.error.code]),
      ...faults.filter(({ decision }) => decision !== 'retry').map(({ code }) => code),
    ]),
  ];
  return [
    ...(account.pending > 0 ? [`candlekeep runs retry ${run.id}`] : []),
    ...codes.map((code) => `${code}: ${ruleOf(code).hint}`),
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

export function cellReportText(screen: Console, report: CellReport, nowMs: number): string {
  const { cell, account, attempts, gaps, responses, removed } = report;
  return [
    `${screen.colour('bold', referenceOf(cell))}  ${account === null || report.dueAtMs > nowMs ? 'not accounted for' : account.pending + account.quarantined === 0 ? 'complete' : 'incomplete'}`,
    ...(account === null
      ? [`  ${cell.exchange} never listed ${cell.symbol}: it is in no account`]
      : report.dueAtMs > nowMs
        ? [`  due at ${isoTime(report.dueAtMs)}`]
        : [`  ${accountText(account)}`]),
    ...(attempts === 0 ? [] : [`  asked ${count(attempts, 'time')} and still incomplete`]),
    ...(report.notBeforeMs === null
      ? []
      : [`  ${cell.exchange} asked not to be asked before ${isoTime(report.notBeforeMs)}`]),
    ...(removed === null
      ? []
      : [
          `  off the active list since ${isoTime(removed.changedAtMs)}: ${removed.reason}${recheckAtMs(removed) === null ? '' : `, asked about again ${isoTime(recheckAtMs(removed))}`}`,
        ]),
    ...section(
      screen,
      'Gaps',
      shortened(gaps, (shown) =>
        table(['from', 'to', 'candles', 'state', 'why', 'seen', 'next attempt'], shown.map(gapRow)),
      ),
    ),
    ...section(screen, 'Why', [
      ...new Set(gaps.flatMap(({ cause }) => (cause === null ? [] : [`  ${cause}: ${saysOf(cause)}`]))),
    ]),
    ...section(
      screen,
      'Answers in bronze',
      shortened(responses, (shown) =>
        table(
          ['fetched', 'rows', 'used', 'from', 'to', 'place', 'run'],
          shown.map((response) => [
            isoTime(response.fetchedAtMs) ?? '',
            response.rows,
            response.rejected === null ? 'yes' : `no: ${response.rejected}`,
            isoTime(response.range.fromMs) ?? '',
            isoTime(response.range.toMs) ?? '',
            `${response.segment}@${response.offset}`,
            response.runId,
          ]),
        ),
      ),
    ),
    ...section(screen, 'What you can do', actionsOfCell(report, nowMs)),
  ].join('\n');
}

const gapRow = (gap: ExplainedGap): (string | number)[] => [
  isoTime(gap.fromMs) ?? '',
  isoTime(gap.toMs) ?? '',
  gap.candles,
  gap.state,
  gap.cause ?? gap.code ?? '-',
  seenOf(gap),
  isoTime(gap.nextAttemptAtMs) ?? '-',
];

const saysOf = (cause: string): string =>
  cause in GAP_RULES ? GAP_RULES[cause as GapCause].says : 'a rule of another release';

function seenOf({ responses, lastFault }: ExplainedGap): string {
  const seen = responses === 0 ? 'no answer covers it' : `covered by ${count(responses, 'answer')}`;
  return lastFault === null ? seen : `${seen}; last: ${lastFault.record.message}`;
}

function actionsOfCell({ cell, account, gaps, removed }: CellReport, nowMs: number): string[] {
  if (account === null || account.pending + account.quarantined === 0) return [];
  if (removed !== null) return [`candlekeep symbols enable ${cell.exchange}:${cell.symbol}`];
  const isDue = gaps.some(({ nextAttemptAtMs }) => nextAttemptAtMs !== null && nextAttemptAtMs <= nowMs);
  return [
    `candlekeep run --date ${cell.day} --exchange ${cell.exchange} --symbol ${cell.symbol} --interval ${cell.interval}${isDue ? '' : '   (candlekeep heal --now does not wait for the next attempt)'}`,
    ...(account.quarantined > 0 ? [`candlekeep quarantine show ${referenceOf(cell)}`] : []),
    ...[...new Set(gaps.flatMap(({ code }) => code ?? []))].map((code) => `candlekeep explain ${code}`),
  ];
}

export const cellReportDocument = ({
  cell,
  account,
  attempts,
  notBeforeMs,
  gaps,
  responses,
  removed,
  dueAtMs,
}: CellReport): object => ({
  schema: SCHEMA,
  exchange: cell.exchange,
  symbol: cell.symbol,
  interval: cell.interval,
  partition: cell.day,
  due_at: isoTime(dueAtMs),
  account,
  looks: attempts,
  not_before: isoTime(notBeforeMs),
  removed:
    removed === null
      ? null
      : {
          code: removed.code,
          reason: removed.reason,
          since: isoTime(removed.changedAtMs),
          next_check_at: isoTime(recheckAtMs(removed)),
        },
  gaps: gaps.map((gap) => ({
    from: isoTime(gap.fromMs),
    to: isoTime(gap.toMs),
    candles: gap.candles,
    reason: gap.state,
    code: gap.code,
    cause: gap.cause,
    evidence: gap.evidence,
    next_attempt_at: isoTime(gap.nextAttemptAtMs),
    answers: gap.responses,
    last_fault:
      gap.lastFault === null
        ? null
        : {
            at: isoTime(gap.lastFault.atMs),
            code: gap.lastFault.record.code,
            message: gap.lastFault.record.message,
            decision: gap.lastFault.decision,
            run_id: gap.lastFault.runId,
          },
  })),
  answers: responses.map((response) => ({
    fetched_at: isoTime(response.fetchedAtMs),
    rows: response.rows,
    rejected: response.rejected,
    from: isoTime(response.range.fromMs),
    to: isoTime(response.range.toMs),
    place: `${response.segment}@${response.offset}`,
    sha256: response.sha256,
    run_id: response.runId,
  })),
});
