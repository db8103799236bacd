import { readExchanges, readIntervals, readSymbol, readText } from '../../../configuration/setting-values.ts';
import type { Pipeline } from '../../../engine/core/pipeline.ts';
import { decideQuarantined } from '../../../engine/maintenance/quarantine-decision.ts';
import { byCell, quarantined, rawOf, type QuarantineQuery } from '../../../engine/queries/quarantine.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import type { QuarantinedRow } from '../../../lake/quarantine-columns.ts';
import type { QuarantineVerdict } from '../../../lake/quarantine-decisions.ts';
import { cellText, readCell, type CellReference } from '../../cell-reference.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openSession } from '../../open-session.ts';
import { count, table } from '../../output/console.ts';
import { quarantinedDocument, quarantinedText, type ShownRow } from '../../output/quarantined-row.ts';
import { listDocument } from '../../output/schema.ts';
import { readDays } from '../../work-options.ts';
import { workOutcome } from '../pipeline/work-outcome.ts';

interface ListOptions {
  readonly exchange?: string;
  readonly symbol?: string;
  readonly interval?: string;
  readonly start?: string;
  readonly end?: string;
}

const ROWS_SHOWN_MAX = 20;

export const listQuarantine: Action<ListOptions> = async (session, options) => {
  const configuration = await configure(session);
  const query = queryOf(options, session.clock.nowMs());
  const { pipeline } = await openSession(session, configuration);
  const cells = byCell(await quarantined(pipeline, query));
  return {
    exit: EXIT.done,
    document: listDocument(cells),
    text: () => (cells.length === 0 ? 'nothing is in quarantine' : cellTable(cells)),
  };
};

const cellTable = (cells: ReturnType<typeof byCell>): string =>
  table(
    ['cell', 'rows', 'rules'],
    cells.map((cell) => [
      cellText(cell),
      cell.rows,
      Object.entries(cell.rules)
        .map(([rule, rows]) => `${rule} ${rows}`)
        .join(', '),
    ]),
  );

export const showQuarantine: Action<{ readonly body?: boolean }> = async (session, { body = false }, [text = '']) => {
  const configuration = await configure(session);
  const cell = readCell(text, '<row>');
  const { pipeline, screen } = await openSession(session, configuration);
  const rows = await rowsAt(pipeline, cell, text);
  const shown: ShownRow[] = [];
  for (const row of screen.isJson ? rows : rows.slice(0, ROWS_SHOWN_MAX))
    shown.push({ row, found: await rawOf(pipeline, row), hasBody: body });
  const hidden = rows.length - shown.length;
  return {
    exit: EXIT.done,
    document: listDocument(shown.map(quarantinedDocument)),
    text: () => shown.map(quarantinedText).join('\n\n'),
    note: hidden === 0 ? '' : `and ${count(hidden, 'more row')}; --json shows all`,
  };
};

export const decide =
  (verdict: QuarantineVerdict): Action<{ readonly reason: string }> =>
  async (session, options, [text = '']) => {
    const configuration = await configure(session);
    const cell = readCell(text, '<row>');
    const reason = readText(options.reason, '--reason');
    const open = await openSession(session, configuration);
    const rows = await rowsAt(open.pipeline, cell, text);
    const decision = { rows, verdict, reason, by: session.io.env['USER'] ?? 'unknown' };
    const result = await decideQuarantined(open.pipeline, decision, open.control);
    open.screen.note(`${count(rows.length, 'row')}: ${verdict}, recorded in decisions.ndjson`);
    return workOutcome(open, result, `candlekeep quarantine ${verdict} ${text} --reason '${reason}'`);
  };

/** The quarantined rows that a reference names. @throws ConfigurationError (CONFIG_INVALID) when there is none. */
async function rowsAt(pipeline: Pipeline, cell: CellReference, text: string): Promise<readonly QuarantinedRow[]> {
  const query = {
    exchanges: [cell.exchange],
    symbols: [cell.symbol],
    intervals: [cell.interval],
    days: { start: cell.day, end: cell.day },
  };
  const rows = (await quarantined(pipeline, query)).filter(
    ({ row }) => cell.openTimeMs === null || row.openTimeMs === cell.openTimeMs,
  );
  if (rows.length === 0)
    throw new ConfigurationError({
      where: '<row>',
      expected: 'a row in quarantine (candlekeep quarantine list)',
      got: `"${text}"`,
    });
  return rows;
}

function queryOf(options: ListOptions, nowMs: number): QuarantineQuery {
  const { start, end } = options;
  if ((start === undefined) !== (end === undefined))
    throw new ConfigurationError({
      where: start === undefined ? '--start' : '--end',
      expected: 'both --start and --end',
      got: 'one of them',
    });
  const symbol = options.symbol === undefined ? null : readSymbol(options.symbol, '--symbol');
  const byFlag = options.exchange === undefined ? null : readExchanges(options.exchange, '--exchange');
  return {
    exchanges: byFlag ?? (symbol === null || symbol.exchange === null ? null : [symbol.exchange]),
    symbols: symbol === null ? null : [symbol.symbol],
    intervals: options.interval === undefined ? null : readIntervals(options.interval, '--interval'),
    days: start === undefined || end === undefined ? null : readDays(start, end, nowMs),
  };
}
