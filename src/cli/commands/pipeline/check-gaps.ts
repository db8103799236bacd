import type { Command } from 'commander';
import { dayOf, dayRange } from '../../../domain/partition.ts';
import type { TimeRange } from '../../../domain/range.ts';
import { acceptHoles } from '../../../engine/maintenance/acceptance.ts';
import { EXIT, type ExitCode } from '../../exit-code.ts';
import { gapAccount, type GapAccount, type ReportedGap } from '../../../engine/queries/gap-report.ts';
import { materialise } from '../../../engine/runs/materialise.ts';
import type { Pipeline } from '../../../engine/core/pipeline.ts';
import type { AccountQuery } from '../../../engine/core/range-account.ts';
import type { Control, WorkResult } from '../../../engine/core/work.ts';
import { resolveMarkets } from '../../../engine/core/symbol-resolution.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { count, table, type Console } from '../../output/console.ts';
import { gapDocument, isoTime } from '../../output/documents.ts';
import type { CommandRunner } from '../../program.ts';
import { configure, reportAlerts, withPipeline } from '../../session.ts';
import { accountText } from '../../output/reports.ts';
import { readDays, scopeOf, type ScopeOptions } from '../../work-options.ts';
import { examples } from '../../help.ts';
import { readText } from '../../../configuration/setting-values.ts';

interface GapOptions extends ScopeOptions {
  readonly hours?: string;
  readonly start?: string;
  readonly end?: string;
  readonly explained?: boolean;
  readonly verify?: boolean;
  readonly heal?: boolean;
  readonly accept?: string;
}

const HOURS_DEFAULT = 24;
const HOURS_MAX = 24 * 366 * 20;
const HOUR_MS = 3_600_000;
const GAPS_SHOWN_MAX = 50;

export function addCheckGapsCommand(program: Command, run: CommandRunner): void {
  run(
    program
      .command('check-gaps')
      .description('The account of every due candle, and each hole with its reason and next attempt')
      .option('--hours <n>', `look back this many hours (default ${HOURS_DEFAULT})`)
      .option('--start <day>', 'first UTC date')
      .option('--end <day>', 'last UTC date, included')
      .option('--exchange <names>', 'only these exchanges (comma list)')
      .option('--symbol <symbols>', 'only these symbols (comma list)')
      .option('--interval <intervals>', '1m 5m 15m 1h 4h 1d (comma list)')
      .option('--explained', 'list holes with a settled reason, too')
      .option(
        '--verify',
        'recount the stored candles from the Parquet files and the rest from the stored verdicts, and compare',
      )
      .option('--heal', 'ask for what is pending in the range first, without waiting for our own appointments')
      .option(
        '--accept <reason>',
        'end the wait for holes that the exchange answered and nothing explains; the reason is kept',
      )
      .addHelpText(
        'after',
        examples([
          'candlekeep check-gaps --hours 48',
          'candlekeep check-gaps --start 2024-01-01 --end 2024-01-31 --verify',
          'candlekeep check-gaps --hours 24 --heal',
          "candlekeep check-gaps --start 2024-06-01 --end 2024-06-01 --symbol BTC/USDT --accept 'confirmed by the exchange'",
          'candlekeep check-gaps --json | jq .totals',
        ]),
      ),
    async (session, options: GapOptions) => {
      const configuration = await configure(session);
      const { choices, intervals } = scopeOf(configuration, options);
      const range = rangeOf(options, session.clock.nowMs());
      return withPipeline(session, configuration, async (open) => {
        const { pipeline, screen, control } = open;
        const markets = await resolveMarkets(pipeline, { choices, freshness: 'any', signal: control.signal });
        if (options.heal) await healRange(pipeline, { markets, intervals, range }, control);
        if (options.accept !== undefined) {
          const candles = await acceptHoles(
            pipeline,
            {
              markets,
              intervals,
              range,
              reason: readText(options.accept, '--accept'),
              by: session.io.env['USER'] ?? 'unknown',
            },
            control,
          );
          if (!screen.isJson) screen.say(`${count(candles, 'candle')} accepted as an outage`);
        }
        const report = await gapAccount(pipeline, {
          markets,
          intervals,
          range,
          verify: options.verify ?? false,
          explained: options.explained ?? false,
        });
        const exit = exitOf(report);
        if (screen.isJson) screen.documentOf(gapDocument(report, exit));
        else screen.data(gapSummary(screen, report));
        if (options.heal || options.accept !== undefined) await reportAlerts(open);
        return exit;
      });
    },
  );
}

const healRange = (
  pipeline: Pipeline,
  { markets, intervals, range }: AccountQuery,
  control: Control,
): Promise<WorkResult> =>
  materialise(
    pipeline,
    {
      days: { start: dayOf(range.fromMs), end: dayOf(range.toMs - 1) },
      markets,
      intervals,
      selection: 'missing',
      waitPolicy: 'none',
      assets: ['bronze', 'silver'],
      trigger: 'heal',
      tags: {},
    },
    control,
  );

const exitOf = (report: GapAccount): ExitCode =>
  report.totals.pending > 0 || report.discrepancies.length > 0 ? EXIT.partial : EXIT.done;

function rangeOf({ hours, start, end }: GapOptions, nowMs: number): TimeRange {
  if (start !== undefined || end !== undefined) {
    if (hours !== undefined)
      throw new ConfigurationError({ where: '--hours', expected: 'either --hours or --start and --end', got: 'both' });
    if (start === undefined || end === undefined)
      throw new ConfigurationError({
        where: start === undefined ? '--start' : '--end',
        expected: 'both --start and --end',
        got: 'one of them',
      });
    const days = readDays(start, end, nowMs);
    return { fromMs: dayRange(days.start).fromMs, toMs: dayRange(days.end).toMs };
  }
  const back = Number(hours ?? HOURS_DEFAULT);
  if (!Number.isInteger(back) || back < 1 || back > HOURS_MAX)
    throw new ConfigurationError({
      where: '--hours',
      expected: `a whole number from 1 to ${HOURS_MAX}`,
      got: `"${hours}"`,
    });
  const toMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
  return { fromMs: toMs - back * HOUR_MS, toMs };
}

function gapSummary(screen: Console, { totals, gaps, discrepancies }: GapAccount): string {
  const shown: ReportedGap[] = [];
  let gapsTotal = 0;
  for (const gap of gaps) {
    if (gapsTotal < GAPS_SHOWN_MAX) shown.push(gap);
    gapsTotal += 1;
  }
  const lines = [accountText(totals)];
  if (shown.length > 0) {
    lines.push(
      table(
        ['exchange', 'symbol', 'interval', 'from', 'to', 'candles', 'reason', 'why', 'next attempt'],
        shown.map((gap) => [
          gap.exchange,
          gap.symbol,
          gap.interval,
          isoTime(gap.fromMs) ?? '',
          isoTime(gap.toMs) ?? '',
          gap.candles,
          gap.state,
          gap.cause ?? gap.code ?? (gap.nextAttemptAtMs === null ? 'disabled' : 'not asked yet'),
          isoTime(gap.nextAttemptAtMs) ?? '-',
        ]),
      ),
    );
  }
  if (gapsTotal > shown.length) lines.push(`and ${count(gapsTotal - shown.length, 'more gap')}; --json lists all`);
  lines.push(...discrepancies.map(({ where, message }) => `${screen.colour('red', 'differs')} ${where}: ${message}`));
  return lines.join('\n');
}
