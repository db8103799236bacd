import type { Command } from 'commander';
import { recentDays } from '../../engine/chunks.ts';
import { estimate } from '../../engine/estimate.ts';
import { EXIT, type ExitCode } from '../../engine/exit-code.ts';
import { materialise } from '../../engine/materialise.ts';
import { heal } from '../../engine/recovery-turn.ts';
import type { WorkRequest, WorkResult } from '../../engine/work.ts';
import { ConfigurationError } from '../../faults/taxonomy/errors.ts';
import type { Configuration } from '../configuration.ts';
import { SCHEMA, workDocument } from '../documents.ts';
import type { CommandRunner } from '../program.ts';
import { configure, withPipeline, type OpenSession, type Session } from '../session.ts';
import { readDay, readDays, scopeOf, type ScopeOptions } from '../work-options.ts';
import { estimateTable, workSummary } from '../work-summary.ts';

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
  run(scoped(program.command('run'))
    .description('Fetch, clean and store the candles of one day (default: what is due and not complete of the last two days, and what has closed of today)')
    .option('--date <day>', 'UTC date such as 2024-06-01')
    .addHelpText('after', examples(['candlekeep run', 'candlekeep run --date 2024-06-01 --symbol BTC/USDT', 'candlekeep run --dry-run'])),
  async (session, options: WorkOptions & { readonly date?: string }) => {
    const configuration = await configure(session);
    const nowMs = session.clock.nowMs();
    const date = options.date === undefined ? null : readDay(options.date, '--date', nowMs);
    const days = date === null ? recentDays(2, nowMs) : { start: date, end: date };
    const request: WorkRequest = { ...scopeOf(configuration.settings, options), days, selection: options.force ? 'all' : 'missing', keptWaits: 'holes', trigger: 'manual', tags: {} };
    return work(session, configuration, { request, options });
  });

  run(scoped(program.command('backfill'))
    .description('Fetch, clean and store the candles of a range of days, a month at a time; continues where it was stopped')
    .requiredOption('--start <day>', 'first UTC date')
    .requiredOption('--end <day>', 'last UTC date, included')
    .option('--only <which>', 'missing, failed or all', 'missing')
    .addHelpText('after', examples(['candlekeep backfill --start 2024-01-01 --end 2024-12-31', 'candlekeep backfill --start 2024-01-01 --end 2024-01-31 --only failed', 'candlekeep backfill --start 2024-01-01 --end 2024-12-31 --interval 1m --dry-run'])),
  async (session, options: WorkOptions & { readonly start: string; readonly end: string; readonly only: string }) => {
    const configuration = await configure(session);
    const days = readDays(options.start, options.end, session.clock.nowMs());
    const selection = options.force ? 'all' : readOnly(options.only);
    const request: WorkRequest = { ...scopeOf(configuration.settings, options), days, selection, keptWaits: 'holes', trigger: 'backfill', tags: {} };
    return work(session, configuration, { request, options });
  });

  run(program.command('heal')
    .description('Ask again for pending candles whose time has come')
    .option('--now', 'do not wait for our own appointments (a wait a venue asked for is kept)')
    .addHelpText('after', examples(['candlekeep heal', 'candlekeep heal --now'])),
  async (session, options: { readonly now?: boolean }) =>
    withPipeline(session, await configure(session), async (open) => report(open, await heal(open.pipeline, { keptWaits: options.now ? 'none' : 'all' }, open.control), 'candlekeep heal --now')));
}

export const examples = (lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;

function readOnly(text: string): WorkRequest['selection'] {
  const selection = (['missing', 'failed', 'all'] as const).find((one) => one === text);
  if (selection === undefined) throw new ConfigurationError({ where: '--only', expected: 'missing, failed or all', got: `"${text}"` });
  return selection;
}

function work(session: Session, configuration: Configuration, { request, options }: { readonly request: WorkRequest; readonly options: WorkOptions }): Promise<ExitCode> {
  return withPipeline(session, configuration, async (open) => {
    if (options.dryRun) {
      const estimates = await estimate(open.pipeline, request);
      if (open.screen.isJson) open.screen.document({ schema: SCHEMA, ok: true, exit: EXIT.done, plan: estimates });
      else open.screen.data(estimateTable(estimates));
      return EXIT.done;
    }
    return report(open, await materialise(open.pipeline, request, open.control), resumeCommand(request, options));
  });
}

/** The command that asks for what is left of the same request. */
function resumeCommand({ days }: WorkRequest, options: WorkOptions): string {
  const flags = (['asset', 'exchange', 'symbol', 'interval'] as const).flatMap((name) => (options[name] === undefined ? [] : [`--${name} ${options[name]}`]));
  return ['candlekeep backfill', `--start ${days.start}`, `--end ${days.end}`, ...flags].join(' ');
}

function report(open: OpenSession, result: WorkResult, resumeWith: string): ExitCode {
  const final: WorkResult = { ...result, exit: open.stoppedBy() ?? result.exit };
  const resume = final.exit === EXIT.done ? null : resumeWith;
  if (open.screen.isJson) open.screen.document(workDocument(final, resume));
  else open.screen.data(workSummary(open.screen, final, resume));
  return final.exit;
}
