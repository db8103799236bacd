import { nearest } from '../../../configuration/nearest.ts';
import { explainCode, runbookPath } from '../../../errors/catalogue.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { FAULT_CODES, isFaultCode, ruleOf } from '../../../errors/table.ts';
import { isRuleCode, RULE_CODES, ruleFacets, ruleRunbookPath, thresholdRule } from '../../../metrics/rules.ts';
import { looksLikeCell } from '../../cell-reference.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { SCHEMA } from '../../output/schema.ts';

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
  if (looksLikeCell(text)) return (await import('./explain-stored.ts')).explainCell(session, text);
  if (RUN.test(text)) return (await import('./explain-stored.ts')).explainRun(session, text);
  throw new ConfigurationError({
    where: '<what>',
    expected:
      'a fault code (candlekeep policies), a rule, a run (candlekeep runs list) ' +
      'or a cell such as binance/BTC-USDT/1h/2024-06-01',
    got: `"${text}"`,
    nearest: nearest(code, [...FAULT_CODES, ...RULE_CODES]),
  });
};
