import type { Command } from 'commander';
import { recentDays } from '../../../engine/core/chunks.ts';
import { estimate } from '../../../engine/plan/estimate.ts';
import { EXIT, type ExitCode } from '../../exit-code.ts';
import { resolveMarkets } from '../../../engine/core/symbol-resolution.ts';
import { materialise } from '../../../engine/runs/materialise.ts';
import { heal } from '../../../engine/runs/heal.ts';
import type { WorkRequest, WorkResult } from '../../../engine/core/work.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import type { Configuration } from '../../../configuration/configuration.ts';
import { examples } from '../../help.ts';
import { planDocument, workDocument } from '../../output/documents.ts';
import type { CommandRunner } from '../../program.ts';
import { configure, reportAlerts, withPipeline, type OpenSession, type Session } from '../../session.ts';
import { SELECTIONS } from '../../../state/run-request.ts';
import { readDay, readDays, scopeOf, type CommandScope, type ScopeOptions } from '../../work-options.ts';
import { isOnlyRemoved, planTable, workSummary } from '../../output/work-summary.ts';

interface WorkOptions extends ScopeOptions {
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

const scoped = (command: Command): Command =>
  command
    .option('--asset <names>', 'bronze, silver, gold, or an asset name (comma list)')
    .option('--exchange <names>', 'only these exchanges (comma list)')
    .option('--symbol <symbols>', 'only these symbols: BTC/USDT, BTC-USDT or BTCUSDT (comma list)')
    .option('--interval <intervals>', '1m 5m 15m 1h 4h 1d (comma list)')
    .option('--force', 'ask for complete candles again, too')
    .option('--dry-run', 'show what would be asked, and ask nothing');

export function addMaterialiseCommands(program: Command, run: CommandRunner): void {
  run(
    scoped(program.command('run'))
      .description(
        'Fetch, clean and store the candles of one day (default: what is due and not complete of the last two days, and what has closed of today)',
      )
      .option('--date <day>', 'UTC date such as 2024-06-01')
      .addHelpText(
        'after',
        examples(['candlekeep run', 'candlekeep run --date 2024-06-01 --symbol BTC/USDT', 'candlekeep run --dry-run']),
      ),
    async (session, options: WorkOptions & { readonly date?: string }) => {
      const configuration = await configure(session);
      const nowMs = session.clock.nowMs();
      const date = options.date === undefined ? null : readDay(options.date, '--date', nowMs);
      const days = date === null ? recentDays(2, nowMs) : { start: date, end: date };
      const scope = scopeOf(configuration, options);
      return work(session, configuration, {
        ...scope,
        days,
        selection: options.force ? 'all' : 'missing',
        waitPolicy: 'holes',
        trigger: 'manual',
        tags: {},
        options,
      });
    },
  );

  run(
    scoped(program.command('backfill'))
      .description(
        'Fetch, clean and store the candles of a range of days, a month at a time; continues where it was stopped',
      )
      .requiredOption('--start <day>', 'first UTC date')
      .requiredOption('--end <day>', 'last UTC date, included')
      .option(
        '--only <which>',
        'missing: not complete; failed: asked before and incomplete; all: complete ones, too',
        'missing',
      )
      .addHelpText(
        'after',
        examples([
          'candlekeep backfill --start 2024-01-01 --end 2024-12-31',
          'candlekeep backfill --start 2024-01-01 --end 2024-01-31 --only failed',
          'candlekeep backfill --start 2024-01-01 --end 2024-12-31 --interval 1m --dry-run',
        ]),
      ),
    async (session, options: WorkOptions & { readonly start: string; readonly end: string; readonly only: string }) => {
      const configuration = await configure(session);
      const days = readDays(options.start, options.end, session.clock.nowMs());
      const selection = options.force ? 'all' : readOnly(options.only);
      return work(session, configuration, {
        ...scopeOf(configuration, options),
        days,
        selection,
        waitPolicy: 'holes',
        trigger: 'backfill',
        tags: {},
        options,
      });
    },
  );

  run(
    program
      .command('heal')
      .description('Ask again for pending candles whose time has come')
      .option('--now', 'do not wait for our own appointments (a wait a venue asked for is kept)')
      .addHelpText('after', examples(['candlekeep heal', 'candlekeep heal --now'])),
    async (session, options: { readonly now?: boolean }) =>
      withPipeline(session, await configure(session), async (open) =>
        report(
          open,
          await heal(open.pipeline, { waitPolicy: options.now ? 'none' : 'all' }, open.control),
          'candlekeep heal --now',
        ),
      ),
  );
}

function readOnly(text: string): WorkRequest['selection'] {
  const selection = SELECTIONS.find((one) => one === text);
  if (selection === undefined)
    throw new ConfigurationError({ where: '--only', expected: SELECTIONS.join(', '), got: `"${text}"` });
  return selection;
}

/** A request before anybody knows which symbols its patterns stand for, and the flags that made it. */
type WorkCommand = Omit<WorkRequest, 'markets'> & CommandScope & { readonly options: WorkOptions };

function work(
  session: Session,
  configuration: Configuration,
  { choices, options, ...rest }: WorkCommand,
): Promise<ExitCode> {
  return withPipeline(session, configuration, async (open) => {
    const { pipeline, screen, control } = open;
    const markets = await resolveMarkets(pipeline, {
      choices,
      freshness: options.dryRun ? 'any' : 'daily',
      signal: control.signal,
    });
    const request: WorkRequest = { ...rest, markets };
    if (options.dryRun) {
      const plan = await estimate(pipeline, request);
      if (screen.isJson) screen.document(planDocument(plan));
      else screen.data(planTable(plan));
      return EXIT.done;
    }
    return report(open, await materialise(pipeline, request, control), resumeCommand(request, options));
  });
}

/** The command that asks for what is left of the same request. */
function resumeCommand({ days }: WorkRequest, options: WorkOptions): string {
  const flags = (['asset', 'exchange', 'symbol', 'interval'] as const).flatMap((name) =>
    options[name] === undefined ? [] : [`--${name} ${options[name]}`],
  );
  return ['candlekeep backfill', `--start ${days.start}`, `--end ${days.end}`, ...flags].join(' ');
}

export async function report(open: OpenSession, result: WorkResult, resumeWith: string): Promise<ExitCode> {
  const final: WorkResult = { ...result, ending: open.stoppedBy() ?? result.ending };
  const resume = final.ending === 'done' || isOnlyRemoved(final) ? null : resumeWith;
  if (open.screen.isJson) open.screen.document(workDocument(final, resume));
  else open.screen.data(workSummary(open.screen, final, resume));
  await reportAlerts(open);
  return EXIT[final.ending];
}
