import { policyRows, triesText } from '../../../errors/catalogue.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { table } from '../../output/console.ts';
import { listDocument } from '../../output/schema.ts';

export const policies: Action = async () => {
  const rows = policyRows();
  return {
    exit: EXIT.done,
    document: listDocument(rows),
    text: () =>
      table(
        ['code', 'kind', 'tries', 'wait', 'after the last try', 'level'],
        rows.map((row) => [row.code, row.kind, triesText(row.code), row.backoff, row.afterTheLast, row.level]),
      ),
  };
};
