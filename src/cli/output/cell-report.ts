import type { CellReport, ExplainedGap } from '../../engine/queries/cell-report.ts';
import { GAP_RULES, type GapCause } from '../../lake/quality/gaps/gap-rules.ts';
import { recheckAtMs } from '../../state/symbols.ts';
import { cellText as referenceOf } from '../cell-reference.ts';
import { count, table, type Console } from './console.ts';
import { isoTime, SCHEMA } from './schema.ts';
import { accountText, section, shortened } from './sections.ts';

export function cellReportText(screen: Console, report: CellReport, nowMs: number): string {
  const { cell, gaps, responses } = report;
  const causes = new Set(gaps.flatMap(({ cause }) => (cause === null ? [] : [`  ${cause}: ${saysOf(cause)}`])));
  return [
    `${screen.colour('bold', referenceOf(cell))}  ${stateOf(report, nowMs)}`,
    ...factLines(report, nowMs),
    ...section(screen, 'Gaps', shortened(gaps, gapTable)),
    ...section(screen, 'Why', [...causes]),
    ...section(screen, 'Responses in bronze', shortened(responses, responseTable)),
    ...section(screen, 'What you can do', actionsOf(report, nowMs)),
  ].join('\n');
}

function stateOf({ account, dueAtMs }: CellReport, nowMs: number): string {
  if (account === null || dueAtMs > nowMs) return 'not accounted for';
  return account.pending + account.quarantined === 0 ? 'complete' : 'incomplete';
}

function factLines(report: CellReport, nowMs: number): string[] {
  const { cell, attempts, notBeforeMs, removed } = report;
  const recheckMs = removed === null ? null : recheckAtMs(removed);
  const recheck = recheckMs === null ? '' : `, checked again ${isoTime(recheckMs)}`;
  return [
    accountLine(report, nowMs),
    ...(attempts === 0 ? [] : [`  requested ${count(attempts, 'time')} and still incomplete`]),
    ...(notBeforeMs === null ? [] : [`  ${cell.exchange} paused our requests until ${isoTime(notBeforeMs)}`]),
    ...(removed === null
      ? []
      : [`  off the active list since ${isoTime(removed.changedAtMs)}: ${removed.reason}${recheck}`]),
  ];
}

function accountLine({ cell, account, dueAtMs }: CellReport, nowMs: number): string {
  if (account === null) return `  ${cell.exchange} never listed ${cell.symbol}: no candle is due`;
  return dueAtMs > nowMs ? `  due at ${isoTime(dueAtMs)}` : `  ${accountText(account)}`;
}

const gapTable = (gaps: readonly ExplainedGap[]): string =>
  table(
    ['from', 'to', 'candles', 'state', 'why', 'seen', 'next attempt'],
    gaps.map((gap) => [
      isoTime(gap.fromMs) ?? '',
      isoTime(gap.toMs) ?? '',
      gap.candles,
      gap.state,
      gap.cause ?? gap.code ?? '-',
      seenOf(gap),
      isoTime(gap.nextAttemptAtMs) ?? '-',
    ]),
  );

const responseTable = (responses: CellReport['responses']): string =>
  table(
    ['fetched', 'rows', 'used', 'from', 'to', 'place', 'run'],
    responses.map((response) => [
      isoTime(response.fetchedAtMs) ?? '',
      response.rows,
      response.rejected === null ? 'yes' : `no: ${response.rejected}`,
      isoTime(response.range.fromMs) ?? '',
      isoTime(response.range.toMs) ?? '',
      `${response.segment}@${response.offset}`,
      response.runId,
    ]),
  );

const saysOf = (cause: string): string =>
  cause in GAP_RULES ? GAP_RULES[cause as GapCause].says : 'a rule of another release';

function seenOf({ responses, lastFault }: ExplainedGap): string {
  const seen = responses === 0 ? 'no response covers it' : `covered by ${count(responses, 'response')}`;
  return lastFault === null ? seen : `${seen}; last: ${lastFault.record.message}`;
}

function actionsOf({ cell, account, gaps, removed }: CellReport, nowMs: number): string[] {
  if (account === null || account.pending + account.quarantined === 0) return [];
  const { exchange, symbol, interval, day } = cell;
  if (removed !== null) return [`candlekeep symbols enable ${exchange}:${symbol}`];
  const isDue = gaps.some(({ nextAttemptAtMs }) => nextAttemptAtMs !== null && nextAttemptAtMs <= nowMs);
  const remark = isDue ? '' : '   (candlekeep heal --now does not wait for the next attempt)';
  const codes = new Set(gaps.flatMap(({ code }) => code ?? []));
  return [
    `candlekeep run --date ${day} --exchange ${exchange} --symbol ${symbol} --interval ${interval}${remark}`,
    ...(account.quarantined > 0 ? [`candlekeep quarantine show ${referenceOf(cell)}`] : []),
    ...[...codes].map((code) => `candlekeep explain ${code}`),
  ];
}

export const cellReportDocument = (report: CellReport): object => ({
  schema: SCHEMA,
  exchange: report.cell.exchange,
  symbol: report.cell.symbol,
  interval: report.cell.interval,
  partition: report.cell.day,
  due_at: isoTime(report.dueAtMs),
  account: report.account,
  looks: report.attempts,
  not_before: isoTime(report.notBeforeMs),
  removed: removedDocument(report.removed),
  gaps: report.gaps.map(gapDocument),
  answers: report.responses.map(responseDocument),
});

const removedDocument = (removed: CellReport['removed']): object | null =>
  removed === null
    ? null
    : {
        code: removed.code,
        reason: removed.reason,
        since: isoTime(removed.changedAtMs),
        next_check_at: isoTime(recheckAtMs(removed)),
      };

const gapDocument = ({ lastFault, ...gap }: ExplainedGap): object => ({
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
    lastFault === null
      ? null
      : {
          at: isoTime(lastFault.atMs),
          code: lastFault.record.code,
          message: lastFault.record.message,
          decision: lastFault.decision,
          run_id: lastFault.runId,
        },
});

const responseDocument = (response: CellReport['responses'][number]): object => ({
  fetched_at: isoTime(response.fetchedAtMs),
  rows: response.rows,
  rejected: response.rejected,
  from: isoTime(response.range.fromMs),
  to: isoTime(response.range.toMs),
  place: `${response.segment}@${response.offset}`,
  sha256: response.sha256,
  run_id: response.runId,
});
