import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../../exit-code.ts';
import { byCell, quarantined, rawOf, type QuarantineQuery, type RawRow } from '../../../engine/queries/quarantine.ts';
import type { Pipeline } from '../../../engine/core/pipeline.ts';
import { decideQuarantined } from '../../../engine/maintenance/quarantine-decision.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import type { QuarantinedRow } from '../../../lake/quarantine-columns.ts';
import type { QuarantineVerdict } from '../../../lake/quarantine-decisions.ts';
import { ROW_RULES } from '../../../lake/quality/row-rules.ts';
import { candleText, cellText, readCell, type CellReference } from '../../cell-reference.ts';
import { count, table } from '../../output/console.ts';
import { isoTime, listDocument } from '../../output/documents.ts';
import { examples } from '../../help.ts';
import type { CommandRunner } from '../../program.ts';
import { configure, withPipeline, type OpenSession } from '../../session.ts';
import { report } from '../pipeline/materialise.ts';
import { readExchanges, readIntervals, readSymbol, readText } from '../../../configuration/setting-values.ts';
import { readDays } from '../../work-options.ts';

interface ListOptions {
  readonly exchange?: string;
  readonly symbol?: string;
  readonly interval?: string;
  readonly start?: string;
  readonly end?: string;
}

const ROWS_SHOWN_MAX = 20;

export function addQuarantineCommands(program: Command, run: CommandRunner): void {
  const quarantine = program
    .command('quarantine')
    .description('Delivered rows that break a rule, and the answers they came in')
    .addHelpText(
      'after',
      examples(['candlekeep quarantine list', 'candlekeep quarantine show binance/BTC-USDT/1h/2024-06-01T05:00:00Z']),
    );

  run(
    quarantine
      .command('list')
      .description('Quarantined rows, counted by day and rule')
      .option('--exchange <names>', 'only these exchanges (comma list)')
      .option('--symbol <symbol>', 'only this symbol')
      .option('--interval <intervals>', '1m 5m 15m 1h 4h 1d (comma list)')
      .option('--start <day>', 'first UTC date (default: all)')
      .option('--end <day>', 'last UTC date, included')
      .addHelpText(
        'after',
        examples([
          'candlekeep quarantine list',
          'candlekeep quarantine list --exchange binance --start 2024-06-01 --end 2024-06-30 --json',
        ]),
      ),
    async (session, options: ListOptions) => {
      const configuration = await configure(session);
      const query = queryOf(options, session.clock.nowMs());
      return withPipeline(session, configuration, async ({ pipeline, screen }) => {
        const cells = byCell(await quarantined(pipeline, query));
        if (screen.isJson) screen.document(listDocument(cells));
        else if (cells.length === 0) screen.data('nothing is in quarantine');
        else
          screen.data(
            table(
              ['cell', 'rows', 'rules'],
              cells.map((cell) => [
                cellText(cell),
                cell.rows,
                Object.entries(cell.rules)
                  .map(([rule, rows]) => `${rule} ${rows}`)
                  .join(', '),
              ]),
            ),
          );
        return EXIT.done;
      });
    },
  );

  run(
    quarantine
      .command('show <row>')
      .description('One quarantined row, or those of a day: values, broken rules, and the row as the exchange sent it')
      .option('--body', 'the whole answer, too')
      .addHelpText(
        'after',
        examples([
          'candlekeep quarantine show binance/BTC-USDT/1h/2024-06-01T05:00:00Z',
          'candlekeep quarantine show binance/BTC-USDT/1h/2024-06-01 --json',
          'candlekeep quarantine show binance/BTC-USDT/1h/2024-06-01T05:00:00Z --body',
        ]),
      ),
    async (session, options: { readonly body?: boolean }, [text = '']) => {
      const configuration = await configure(session);
      const cell = readCell(text, '<row>');
      return withPipeline(session, configuration, async (open) => {
        return show(open, await rowsAt(open.pipeline, cell, text), options);
      });
    },
  );

  for (const { name, description } of VERDICTS) {
    run(
      quarantine
        .command(`${name} <row>`)
        .description(description)
        .requiredOption('--reason <text>', 'why; kept with your name')
        .addHelpText(
          'after',
          examples([
            `candlekeep quarantine ${name} binance/BTC-USDT/1h/2024-06-01T05:00:00Z --reason 'confirmed by the exchange'`,
          ]),
        ),
      async (session, options: { readonly reason: string }, [text = '']) => {
        const configuration = await configure(session);
        const cell = readCell(text, '<row>');
        const reason = readText(options.reason, '--reason');
        return withPipeline(session, configuration, async (open) => {
          const rows = await rowsAt(open.pipeline, cell, text);
          const result = await decideQuarantined(
            open.pipeline,
            { rows, verdict: name, reason, by: session.io.env['USER'] ?? 'unknown' },
            open.control,
          );
          if (!open.screen.isJson) open.screen.say(`${count(rows.length, 'row')}: ${name}, noted in decisions.ndjson`);
          return report(open, result, `candlekeep quarantine ${name} ${text} --reason '${reason}'`);
        });
      },
    );
  }
}

const VERDICTS: readonly { readonly name: QuarantineVerdict; readonly description: string }[] = [
  { name: 'release', description: 'Take a quarantined row, or those of a day, into silver as it came' },
  { name: 'drop', description: 'Wait no longer for a better row than a quarantined one, or those of a day' },
];

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
  if ((options.start === undefined) !== (options.end === undefined))
    throw new ConfigurationError({
      where: options.start === undefined ? '--start' : '--end',
      expected: 'both --start and --end',
      got: 'one of them',
    });
  const symbol = options.symbol === undefined ? null : readSymbol(options.symbol, '--symbol');
  const byFlag = options.exchange === undefined ? null : readExchanges(options.exchange, '--exchange');
  return {
    exchanges: byFlag ?? (symbol === null || symbol.exchange === null ? null : [symbol.exchange]),
    symbols: symbol === null ? null : [symbol.symbol],
    intervals: options.interval === undefined ? null : readIntervals(options.interval, '--interval'),
    days: options.start === undefined || options.end === undefined ? null : readDays(options.start, options.end, nowMs),
  };
}

const RULE_TEXTS: Readonly<Record<string, { readonly says: string } | undefined>> = ROW_RULES;

async function show(
  { pipeline, screen }: OpenSession,
  rows: readonly QuarantinedRow[],
  { body }: { readonly body?: boolean },
): Promise<ExitCode> {
  const shown = screen.isJson ? rows : rows.slice(0, ROWS_SHOWN_MAX);
  const raws: (RawRow | null)[] = [];
  for (const row of shown) raws.push(await rawOf(pipeline, row));
  if (screen.isJson) {
    screen.document(listDocument(shown.map((row, at) => rowDocument(row, raws[at] ?? null, { body }))));
    return EXIT.done;
  }
  screen.data(shown.map((row, at) => rowText(row, raws[at] ?? null, { body })).join('\n\n'));
  if (rows.length > shown.length) screen.say(`and ${count(rows.length - shown.length, 'more row')}; --json shows all`);
  return EXIT.done;
}

function rowDocument(
  { row, rules, runId, raw }: QuarantinedRow,
  found: RawRow | null,
  { body }: { readonly body?: boolean | undefined },
): object {
  const { openTimeMs, quoteVolume, closeTimeMs: _unknown, ...values } = row;
  return {
    timestamp: isoTime(openTimeMs),
    ...values,
    quote_volume: quoteVolume,
    rules,
    run_id: runId,
    raw,
    answer:
      found === null
        ? null
        : {
            url: found.response.url,
            status: found.response.status,
            fetched_at: found.response.fetched_at,
            row: found.row,
            ...(body ? { body: found.response.body } : {}),
          },
  };
}

function rowText(
  { row, rules, runId, raw }: QuarantinedRow,
  found: RawRow | null,
  { body }: { readonly body?: boolean | undefined },
): string {
  const { open, high, low, close, volume, quoteVolume, trades } = row;
  return [
    candleText(row, row.openTimeMs),
    ...rules.map((rule) => `  breaks    ${rule}: ${RULE_TEXTS[rule]?.says ?? 'a rule of another version'}`),
    `  values    open ${open}, high ${high}, low ${low}, close ${close}, volume ${volume}, quote volume ${quoteVolume ?? '-'}, trades ${trades ?? '-'}`,
    `  run       ${runId}`,
    `  raw       ${raw}`,
    ...(found === null
      ? ['  answer    not in bronze any more']
      : [
          `  asked     ${found.response.url}`,
          `  answered  ${found.response.status} at ${found.response.fetched_at}`,
          `  row       ${JSON.stringify(found.row)}`,
          ...(body ? [`  body      ${found.response.body}`] : []),
        ]),
  ].join('\n');
}
