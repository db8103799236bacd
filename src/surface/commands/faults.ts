import type { Command } from 'commander';
import { EXIT } from '../../engine/exit-code.ts';
import { explainCode, policyRows, runbookPath } from '../../faults/taxonomy/catalogue.ts';
import { ConfigurationError } from '../../faults/taxonomy/errors.ts';
import { FAULT_CODES, isFaultCode, ruleOf } from '../../faults/taxonomy/table.ts';
import { table } from '../console.ts';
import { listDocument, SCHEMA } from '../documents.ts';
import { nearest } from '../nearest.ts';
import type { CommandRunner } from '../program.ts';
import { examples } from '../help.ts';

export function addFaultCommands(program: Command, run: CommandRunner): void {
  run(program.command('explain <code>').description('What a fault code means, what happens by itself and what you can do').addHelpText('after', examples(['candlekeep explain EXCHANGE_RATE_LIMITED', 'candlekeep explain rows_missing --json'])), async ({ screen }, _options, [text = '']) => {
    const code = text.toUpperCase();
    if (!isFaultCode(code)) throw new ConfigurationError({ where: '<code>', expected: 'a fault code (candlekeep policies lists them)', got: `"${text}"`, nearest: nearest(code, FAULT_CODES) });
    if (screen.isJson) screen.document({ schema: SCHEMA, code, ...ruleOf(code), docs: runbookPath(code) });
    else screen.data(explainCode(code));
    return EXIT.done;
  });
  run(program.command('policies').description('The fault table in force: tries, waits and consequences of every code').addHelpText('after', examples(['candlekeep policies', 'candlekeep policies --json'])), async ({ screen }) => {
    const rows = policyRows();
    if (screen.isJson) screen.document(listDocument(rows));
    else screen.data(table(['code', 'kind', 'tries', 'wait', 'after the last', 'level'], rows.map((row) => [row.code, row.kind, row.tries, row.backoff, row.afterTheLast, row.level])));
    return EXIT.done;
  });
}
