import type { Command } from 'commander';
import { cellReport } from '../../../engine/queries/cell-report.ts';
import { EXIT } from '../../exit-code.ts';
import { runReport } from '../../../engine/queries/run-report.ts';
import { isRuleCode, RULE_CODES, ruleFacets, ruleRunbookPath, thresholdRule } from '../../../metrics/rules.ts';
import { explainCode, runbookPath } from '../../../errors/catalogue.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { FAULT_CODES, isFaultCode, ruleOf } from '../../../errors/table.ts';
import { looksLikeCell, readCell } from '../../cell-reference.ts';
import { SCHEMA } from '../../output/documents.ts';
import { examples } from '../../help.ts';
import { nearest } from '../../../configuration/nearest.ts';
import type { CommandRunner } from '../../program.ts';
import { configure, withPipeline } from '../../session.ts';
import { cellReportDocument, cellReportText, runReportDocument, runReportText } from '../../output/reports.ts';
import { requireCandles } from '../../../configuration/exchange-choices.ts';
import { unknownRun } from './runs.ts';

/** How run ids begin. */
const RUN = /^run_/;

export function addExplainCommand(program: Command, run: CommandRunner): void {
  run(
    program
      .command('explain <what>')
      .description(
        'What a fault code or a rule means, what happened in a run, or what is known of a cell; what happens next and what you can do',
      )
      .addHelpText(
        'after',
        examples([
          'candlekeep explain EXCHANGE_RATE_LIMITED',
          'candlekeep explain RULE_FRESHNESS',
          'candlekeep explain run_0lx2k3j4h5g6f7',
          'candlekeep explain binance/BTC-USDT/1h/2024-06-01',
          'candlekeep explain rows_missing --json',
        ]),
      ),
    async (session, _options, [text = '']) => {
      const code = text.toUpperCase();
      if (isFaultCode(code)) {
        if (session.screen.isJson)
          session.screen.document({ schema: SCHEMA, code, ...ruleOf(code), docs: runbookPath(code) });
        else session.screen.data(explainCode(code));
        return EXIT.done;
      }
      if (isRuleCode(code)) {
        if (session.screen.isJson)
          session.screen.document({ schema: SCHEMA, code, ...thresholdRule(code), docs: ruleRunbookPath(code) });
        else
          session.screen.data(
            [code, ...ruleFacets(code).map(([label, fact]) => `  ${label.padEnd(16)} ${fact}`)].join('\n'),
          );
        return EXIT.done;
      }
      if (looksLikeCell(text)) {
        const { openTimeMs: _whole, ...cell } = readCell(text, '<what>');
        requireCandles([cell.exchange], [cell.interval], '<what>');
        return withPipeline(session, await configure(session), async ({ pipeline, screen, clock }) => {
          const report = await cellReport(pipeline, cell);
          if (screen.isJson) screen.document(cellReportDocument(report));
          else screen.data(cellReportText(screen, report, clock.nowMs()));
          return EXIT.done;
        });
      }
      if (RUN.test(text)) {
        return withPipeline(session, await configure(session), async ({ pipeline, screen }) => {
          const report = await runReport(pipeline, text);
          if (report === null) throw unknownRun(text, 'a run');
          if (screen.isJson) screen.document(runReportDocument(report));
          else screen.data(runReportText(screen, report));
          return EXIT.done;
        });
      }
      throw new ConfigurationError({
        where: '<what>',
        expected:
          'a fault code (candlekeep policies), a rule, a run (candlekeep runs list) or a cell such as binance/BTC-USDT/1h/2024-06-01',
        got: `"${text}"`,
        nearest: nearest(code, [...FAULT_CODES, ...RULE_CODES]),
      });
    },
  );
}
