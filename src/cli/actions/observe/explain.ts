import { requireCandles } from '../../../configuration/exchange-choices.ts';
import { nearest } from '../../../configuration/nearest.ts';
import { cellReport } from '../../../engine/queries/cell-report.ts';
import { runReport } from '../../../engine/queries/run-report.ts';
import { explainCode, runbookPath } from '../../../errors/catalogue.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { FAULT_CODES, isFaultCode, ruleOf } from '../../../errors/table.ts';
import { isRuleCode, RULE_CODES, ruleFacets, ruleRunbookPath, thresholdRule } from '../../../metrics/rules.ts';
import { looksLikeCell, readCell } from '../../cell-reference.ts';
import type { Action, Outcome } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openSession } from '../../open-session.ts';
import { cellReportDocument, cellReportText } from '../../output/cell-report.ts';
import { runReportDocument, runReportText } from '../../output/run-report.ts';
import { SCHEMA } from '../../output/schema.ts';
import type { Session } from '../../session.ts';
import { unknownRun } from './runs.ts';

/** How run ids begin. */
const RUN = /^run_/;

export const explain: Action = async (session, _options, [text = '']) => {
  const code = text.toUpperCase();
  if (isFaultCode(code))
    return {
      exit: EXIT.done,
      document: { schema: SCHEMA, code, ...ruleOf(code), docs: runbookPath(code) },
      text: explainCode(code),
    };
  if (isRuleCode(code))
    return {
      exit: EXIT.done,
      document: { schema: SCHEMA, code, ...thresholdRule(code), docs: ruleRunbookPath(code) },
      text: [code, ...ruleFacets(code).map(([label, fact]) => `  ${label.padEnd(16)} ${fact}`)].join('\n'),
    };
  if (looksLikeCell(text)) return explainCell(session, text);
  if (RUN.test(text)) return explainRun(session, text);
  throw new ConfigurationError({
    where: '<what>',
    expected:
      'a fault code (candlekeep policies), a rule, a run (candlekeep runs list) ' +
      'or a cell such as binance/BTC-USDT/1h/2024-06-01',
    got: `"${text}"`,
    nearest: nearest(code, [...FAULT_CODES, ...RULE_CODES]),
  });
};

async function explainCell(session: Session, text: string): Promise<Outcome> {
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

async function explainRun(session: Session, id: string): Promise<Outcome> {
  const { pipeline, screen } = await openSession(session, await configure(session));
  const report = await runReport(pipeline, id);
  if (report === null) throw unknownRun(id, 'a run');
  return { exit: EXIT.done, document: runReportDocument(report), text: () => runReportText(screen, report) };
}
