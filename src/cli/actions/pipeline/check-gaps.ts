import { readText } from '../../../configuration/setting-values.ts';
import { dayOf, dayRange } from '../../../domain/partition.ts';
import type { TimeRange } from '../../../domain/range.ts';
import type { Pipeline } from '../../../engine/core/pipeline.ts';
import type { AccountQuery } from '../../../engine/core/range-account.ts';
import { resolveMarkets } from '../../../engine/core/symbol-resolution.ts';
import type { Control, WorkResult } from '../../../engine/core/work.ts';
import { acceptHoles } from '../../../engine/maintenance/acceptance.ts';
import { gapAccount, type GapAccount, type ReportedGap } from '../../../engine/queries/gap-report.ts';
import { materialise } from '../../../engine/runs/materialise.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import type { Action } from '../../command.ts';
import { EXIT, type ExitCode } from '../../exit-code.ts';
import { configure, deliverAlerts, openSession, type OpenSession } from '../../open-session.ts';
import { count, table, type Console } from '../../output/console.ts';
import { gapDocument } from '../../output/documents.ts';
import { accountText } from '../../output/sections.ts';
import { isoTime } from '../../output/schema.ts';
import { readDays, readWhole, scopeOf, type ScopeOptions } from '../../work-options.ts';

interface GapOptions extends ScopeOptions {
  readonly hours?: string;
  readonly start?: string;
  readonly end?: string;
  readonly explained?: boolean;
  readonly verify?: boolean;
  readonly heal?: boolean;
  readonly accept?: string;
}

const HOURS_DEFAULT = '24';
const HOURS_MAX = 24 * 366 * 20;
const HOUR_MS = 3_600_000;
const GAPS_SHOWN_MAX = 50;

export const checkGaps: Action<GapOptions> = async (session, options) => {
  const configuration = await configure(session);
  const { choices, intervals } = scopeOf(configuration, options);
  const range = rangeOf(options, session.clock.nowMs());
  const open = await openSession(session, configuration);
  const { pipeline, screen, control } = open;
  const markets = await resolveMarkets(pipeline, { choices, freshness: 'any', signal: control.signal });
  const query: AccountQuery = { markets, intervals, range };
  if (options.heal) await healRange(pipeline, query, control);
  if (options.accept !== undefined) await accept(open, query, options.accept);
  const report = await gapAccount(pipeline, {
    ...query,
    verify: options.verify ?? false,
    explained: options.explained ?? false,
  });
  const exit = exitOf(report);
  return {
    exit,
    document: () => gapDocument(report, exit),
    text: () => gapSummary(screen, report),
    ...(options.heal || options.accept !== undefined ? { afterwards: () => deliverAlerts(open) } : {}),
  };
};

async function accept(
  { pipeline, screen, control, io }: OpenSession,
  query: AccountQuery,
  text: string,
): Promise<void> {
  const reason = readText(text, '--accept');
  const candles = await acceptHoles(pipeline, { ...query, reason, by: io.env['USER'] ?? 'unknown' }, control);
  screen.note(`${count(candles, 'candle')} accepted as an outage`);
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
  const back = readWhole(hours ?? HOURS_DEFAULT, '--hours', HOURS_MAX);
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
  const hidden = gapsTotal - shown.length;
  return [
    accountText(totals),
    ...(shown.length === 0 ? [] : [gapTable(shown)]),
    ...(hidden === 0 ? [] : [`and ${count(hidden, 'more gap')}; --json lists all`]),
    ...discrepancies.map(({ where, message }) => `${screen.colour('red', 'differs')} ${where}: ${message}`),
  ].join('\n');
}

const gapTable = (gaps: readonly ReportedGap[]): string =>
  table(
    ['exchange', 'symbol', 'interval', 'from', 'to', 'candles', 'reason', 'why', 'next attempt'],
    gaps.map((gap) => [
      gap.exchange,
      gap.symbol,
      gap.interval,
      isoTime(gap.fromMs) ?? '',
      isoTime(gap.toMs) ?? '',
      gap.candles,
      gap.state,
      gap.cause ?? gap.code ?? (gap.nextAttemptAtMs === null ? 'disabled' : 'not requested yet'),
      isoTime(gap.nextAttemptAtMs) ?? '-',
    ]),
  );
